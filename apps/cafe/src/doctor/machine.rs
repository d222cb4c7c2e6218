//! What the machine gives: folder, disk, clock, environment.

use std::path::Path;

use cafe_clock::{Clock, from_ms};
use cafe_delivery::Place;
use cafe_events::Source;
use cafe_store::Connection;
use jiff::{SignedDuration, Timestamp};

use super::{Finding, Level};
use crate::reach;
use crate::running::Running;
use crate::settings::{Settings, unknown_variables};
use crate::traces::{Asked, asked};

/// Room on the disk that is little, in bytes: a busy day writes about this much.
const LITTLE_ROOM_BYTES: u64 = 2_000_000_000;
/// Too little to go on.
const NO_ROOM_BYTES: u64 = 100_000_000;
/// A clock before this has not been set.
const FIRST_SANE_TIME: Timestamp = Timestamp::constant(1_767_225_600, 0);
/// News from further ahead than this means that the clock was set back.
const STEP_BACK_LIMIT: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn environment() -> Finding {
    let unknown: Vec<String> = unknown_variables().iter().map(ToString::to_string).collect();
    if unknown.is_empty() {
        Finding::ok("environment", "nothing unknown is set")
    } else {
        Finding::warn("environment", unknown.join(" "))
    }
}

/// By this environment, which is the services' own where `cafe up` is started in it.
pub(super) fn traces() -> Finding {
    match asked() {
        Asked::Nothing => {
            Finding::ok("traces", "not exported; OTEL_EXPORTER_OTLP_ENDPOINT would say where to")
        }
        Asked::Export(endpoint) => Finding::ok("traces", format!("exported to {endpoint}")),
        Asked::Impossible(why) => Finding::warn("traces", format!("not exported: {why}")),
    }
}

pub(super) fn folder(data: &Path) -> Finding {
    let shown = data.display();
    if !data.exists() {
        return Finding::warn("data folder", format!("{shown} does not exist yet; `cafe up` makes it"));
    }
    let trial = data.join(format!("doctor-{}", std::process::id()));
    let outcome = std::fs::write(&trial, "written to see whether it can be")
        .and_then(|()| std::fs::remove_file(&trial));
    match outcome {
        Ok(()) => Finding::ok("data folder", format!("{shown} can be written")),
        Err(error) => Finding::fail("data folder", format!("{shown} cannot be written: {error}")),
    }
}

pub(super) fn disk(data: &Path) -> Finding {
    let folder = data.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let room = disk.f_bavail.saturating_mul(disk.f_frsize);
            let level = match room {
                0..NO_ROOM_BYTES => Level::Fail,
                NO_ROOM_BYTES..LITTLE_ROOM_BYTES => Level::Warn,
                _ => Level::Ok,
            };
            Finding::new(level, "disk", format!("{} MB are free", room / 1_000_000))
        }
        Err(error) => Finding::warn("disk", format!("its room cannot be told: {error}")),
    }
}

/// Who reaches the cafe: as the order service was started if it runs, else as it would be.
pub(super) fn network(place: &Place, settings: &Settings) -> Finding {
    let running = Running::find(place, Source::Order).map(|it| it.listens_at.unwrap_or(it.address).ip());
    let listen = running.unwrap_or(settings.listen.0);
    let addresses: Vec<String> = reach::addresses(listen).iter().map(ToString::to_string).collect();
    let outside =
        settings.public_url.as_ref().map_or(String::new(), |url| format!("; from outside it is {url}"));
    if listen.is_loopback() {
        let words = if outside.is_empty() { "; --listen 0.0.0.0 lets others in" } else { &outside };
        Finding::ok("network", format!("only this machine reaches the services{words}"))
    } else if addresses.is_empty() {
        Finding::warn(
            "network",
            format!("they listen on {listen}, but this machine is on no network{outside}"),
        )
    } else {
        Finding::ok("network", format!("others reach the services at {}{outside}", addresses.join(", ")))
    }
}

/// Against the newest event that any service has said.
pub(super) fn clock(place: &Place) -> Finding {
    let now = Clock::Real.now();
    let newest = Source::ALL.into_iter().filter_map(|service| newest_event(&place.file(service))).max();
    match newest {
        _ if now < FIRST_SANE_TIME => {
            Finding::fail("clock", format!("it says {now}; set the machine's clock"))
        }
        Some(newest) if newest.duration_since(now) > STEP_BACK_LIMIT => Finding::warn(
            "clock",
            format!("it says {now}, but something happened at {newest}; was it set back?"),
        ),
        _ => Finding::ok("clock", format!("it says {now}")),
    }
}

fn newest_event(database: &Path) -> Option<Timestamp> {
    let mut db = Connection::open_peer(database).ok()?;
    let newest = "SELECT at_ms FROM outbox ORDER BY position DESC LIMIT 1";
    Some(from_ms(db.query_one(newest, &[], |row| row.int(0)).ok()??))
}
