//! How one service and its database stand.

use std::path::Path;
use std::time::Duration;

use cafe_delivery::{KafkaSettings, Place};
use cafe_events::Source;
use cafe_store::{Connection, Database, Error};

use super::{Finding, Level};
use crate::client::Client;
use crate::running::Running;
use crate::settings::Settings;

/// How long a service may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Process, port and health; then the database, its log and what waits in it.
pub(super) async fn look(service: Source, place: &Place, settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![health(service, place, settings).await];
    let (place, limit_mb) = (place.clone(), settings.wal_limit_mb);
    // Databases and brokers are waited for, which an asynchronous task must not.
    let looked = tokio::task::spawn_blocking(move || {
        let mut findings = match place.database(service) {
            Database::File(file) if file.exists() => vec![
                integrity(service, &file),
                log(service, &file, limit_mb),
                waiting(service, &place.database(service)),
            ],
            Database::File(_) => Vec::new(),
            Database::Server(_) => server(service, &place.database(service)),
        };
        findings.extend(place.kafka(service).map(|kafka| topic(service, kafka)));
        findings
    });
    findings.extend(looked.await.unwrap_or_default());
    findings
}

/// Settings of a server without which what it has committed may be lost.
const DURABLE: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

fn server(service: Source, database: &Database) -> Vec<Finding> {
    let subject = format!("{service} database");
    let asked = Connection::open_peer(database).and_then(|mut db| {
        let name = "SELECT current_setting($1)";
        let values = DURABLE.map(|setting| db.query_one(name, &[setting.into()], |row| row.text(0)));
        let version = db.query_one(name, &["server_version".into()], |row| row.text(0))?;
        Ok((version.unwrap_or_default(), values))
    });
    let (version, values) = match asked {
        Ok(asked) => asked,
        Err(error) => return vec![Finding::fail(subject, format!("{database}: {error}"))],
    };
    let off: Vec<&str> = DURABLE
        .into_iter()
        .zip(&values)
        .filter(|(_, value)| matches!(value, Ok(Some(value)) if value == "off" || value == "local"))
        .map(|(setting, _)| setting)
        .collect();
    let finding = if off.is_empty() {
        Finding::ok(subject, format!("{database} answers (version {version}), and keeps what it commits"))
    } else {
        let words = format!("{database} can lose what it has committed: {} is off", off.join(", "));
        Finding::fail(subject, words)
    };
    vec![finding, waiting(service, database)]
}

fn topic(service: Source, kafka: &KafkaSettings) -> Finding {
    let subject = format!("topic {service}");
    match cafe_delivery::topic_differences(kafka, service) {
        Ok(differences) if differences.is_empty() => Finding::ok(subject, "is as it should be"),
        Ok(differences) => Finding::warn(subject, differences.join("; ")),
        Err(reason) => Finding::warn(subject, reason),
    }
}

async fn health(service: Source, place: &Place, settings: &Settings) -> Finding {
    let name = service.name();
    let Some(running) = Running::find(place, service) else {
        let address = settings.listen_at(service);
        return match cafe_web::listen(address) {
            Ok(_) => Finding::ok(name, format!("does not run; port {} is free", address.port())),
            Err(error) => Finding::fail(name, format!("does not run, and could not start: {error}")),
        };
    };
    let (process, address) = (running.process, running.address);
    let listens_at = running.listens_at.unwrap_or(address);
    match Client::new(ANSWER_TIMEOUT).get(&format!("http://{address}/health/ready")).await {
        Ok(answer) if answer.status.is_success() => {
            Finding::ok(name, format!("runs as process {process} on {listens_at} and is ready"))
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

fn waiting(service: Source, database: &Database) -> Finding {
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
        Err(Error::Absent(_)) => Finding::ok(subject, "nothing is there yet"),
        Ok(None) | Err(Error::Busy(_)) => Finding::warn(subject, "could not be counted"),
        Err(error) => Finding::fail(subject, error.to_string()),
    }
}
