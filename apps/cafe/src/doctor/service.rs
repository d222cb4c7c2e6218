//! How one service and its database stand.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use cafe_delivery::Place;
use cafe_events::Source;
use cafe_store::{Connection, Error};

use super::{Finding, Level};
use crate::client::Client;
use crate::running::Running;
use crate::settings::Settings;

/// How long a service may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Process, port and health; then the database, its log and what waits in it.
pub(super) async fn look(service: Source, place: &Place, settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![health(service, place, settings).await];
    let database = place.file(service);
    if database.exists() {
        findings.push(integrity(service, &database));
        findings.push(log(service, &database, settings.wal_limit_mb));
        findings.push(waiting(service, &database));
    }
    findings
}

async fn health(service: Source, place: &Place, settings: &Settings) -> Finding {
    let name = service.name();
    let Some(running) = Running::find(place, service) else {
        let address = settings.address(service);
        return match TcpListener::bind(address) {
            Ok(_) => Finding::ok(name, format!("does not run; port {} is free", address.port())),
            Err(error) => Finding::fail(
                name,
                format!("does not run, and port {} cannot be taken: {error}", address.port()),
            ),
        };
    };
    let (process, address) = (running.process, running.address);
    match Client::new(ANSWER_TIMEOUT).get(&format!("http://{address}/health/ready")).await {
        Ok(answer) if answer.status.is_success() => {
            Finding::ok(name, format!("runs as process {process} on {address} and is ready"))
        }
        Ok(answer) => {
            let why = String::from_utf8_lossy(&answer.body).into_owned();
            Finding::fail(name, format!("runs as process {process} but cannot take work: {why}"))
        }
        Err(error) => Finding::fail(name, format!("runs as process {process}, but {error}")),
    }
}

fn integrity(service: Source, database: &Path) -> Finding {
    let subject = format!("{service} database");
    let checked = Connection::open_peer(database)
        .and_then(|mut db| db.query("PRAGMA quick_check(1)", &[], |row| row.text(0)));
    match checked {
        Ok(lines) if lines == ["ok"] => Finding::ok(subject, format!("{} is sound", database.display())),
        Ok(lines) => {
            Finding::fail(subject, format!("{} is damaged: {}", database.display(), lines.join("; ")))
        }
        Err(Error::Busy(why)) => Finding::warn(subject, format!("could not be checked: {why}")),
        Err(error) => Finding::fail(subject, error.to_string()),
    }
}

fn log(service: Source, database: &Path, limit_mb: u64) -> Finding {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    let size_mb = std::fs::metadata(Path::new(&name)).map_or(0, |about| about.len() / (1024 * 1024));
    let level = if size_mb >= limit_mb { Level::Warn } else { Level::Ok };
    Finding::new(level, format!("{service} log"), format!("{size_mb} MB of at most {limit_mb} MB"))
}

fn waiting(service: Source, database: &Path) -> Finding {
    let subject = format!("{service} events");
    let count = "SELECT (SELECT COUNT(*) FROM parked), (SELECT COUNT(*) FROM held)";
    let counted = Connection::open_peer(database)
        .and_then(|mut db| db.query_one(count, &[], |row| Ok((row.int(0)?, row.int(1)?))));
    match counted {
        Ok(Some((0, 0))) => Finding::ok(subject, "none is set aside, none waits for an earlier one"),
        Ok(Some((parked, held))) => {
            let words = format!("{parked} set aside (see `cafe parked`), {held} waiting for an earlier one");
            Finding::warn(subject, words)
        }
        Ok(None) | Err(Error::Busy(_)) => Finding::warn(subject, "could not be counted"),
        Err(error) => Finding::fail(subject, error.to_string()),
    }
}
