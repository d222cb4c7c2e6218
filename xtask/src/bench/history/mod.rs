//! What a long history costs: taking orders, the whole cycle and the start, beside an empty cafe on the same kind of database.

mod copies;
pub(crate) mod moving;

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use cafe_store::Connection;
use cafe_system_tests::{MOMENT, Service, http, wait_until};
use tempfile::TempDir;

use self::copies::{POSTGRES, SQLITE};
use super::figures::Bound::AtMost;
use super::figures::{Figures, figure, median, median_of};
use super::ground::Ground;
use super::replicas::Replicas;
use super::{Windows, heard, load};

/// Orders that the services themselves write, of each kind: these are copied.
const MODELS: usize = 100;
/// Customers a second whose answers are timed.
const RATE: u32 = 300;
/// A long history may cost so many times what none does.
const LIMIT: f64 = 1.3;

pub(crate) fn measure(past: u64, open: u64, windows: &Windows, figures: &mut Figures) -> Result<()> {
    for on_postgres in [false, true] {
        let ground = Ground::start(on_postgres, false)?;
        let name = if on_postgres { "PostgreSQL" } else { "SQLite" };
        println!("\n=== history on {name}");
        let empty = Place::new(&ground)?;
        let long = Place::new(&ground)?;
        let started = Instant::now();
        long.fill(&ground, past, open)?;
        let took = started.elapsed().as_secs_f64();
        figures.add(figure(format!("{name}: {past} past and {open} open orders written in"), took, "s"));
        figures.add(figure(format!("{name}: size"), long.bytes(&ground)? / 1e6, "MB"));
        beside(&empty, &long, name, windows, figures)?;
    }
    Ok(())
}

/// The same visits to both, one after the other, so that whatever else the machine does is borne by both.
fn beside(empty: &Place, long: &Place, name: &str, windows: &Windows, figures: &mut Figures) -> Result<()> {
    // What comes first after a start is the same for both.
    for place in [empty, long] {
        place.visit(windows)?;
    }
    let mut visits = Vec::new();
    for _ in 0..windows.number.max(3) {
        visits.push((empty.visit(windows)?, long.visit(windows)?));
    }
    let values: [Shown; 3] = [
        ("POST p99", "ms", |visit| visit.accepted_ms),
        ("accepted -> queued p99", "ms", |visit| visit.queued_ms),
        ("start", "s", |visit| visit.started_s),
    ];
    for (what, unit, value) in values {
        let without: Vec<f64> = visits.iter().map(|(empty, _)| value(empty)).collect();
        let with: Vec<f64> = visits.iter().map(|(_, long)| value(long)).collect();
        let times = median(with.clone()) / median(without.clone());
        figures.add(median_of(format!("{name}, empty: {what}"), without, unit));
        figures.add(median_of(format!("{name}, long history: {what}"), with, unit));
        figures.add(figure(format!("{name}: {what}, times that of empty"), times, "").must(AtMost(LIMIT)));
    }
    Ok(())
}

/// A cafe's data, and how to start on it.
struct Place {
    folder: TempDir,
    flags: Vec<String>,
}

/// A figure of a visit: its name, its unit and where it is.
type Shown = (&'static str, &'static str, fn(&Visit) -> f64);

struct Visit {
    started_s: f64,
    accepted_ms: f64,
    queued_ms: f64,
}

impl Place {
    fn new(ground: &Ground) -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, flags: ground.flags_beside()? })
    }

    fn start(&self, further: &[&str]) -> Result<Replicas> {
        let flags: Vec<&str> = self.flags.iter().map(String::as_str).chain(further.iter().copied()).collect();
        Replicas::start(self.folder.path(), &flags)
    }

    fn visit(&self, windows: &Windows) -> Result<Visit> {
        let cafe = self.start(&[])?;
        let started_s = cafe.started_in.as_secs_f64();
        let ports = (cafe.port(Service::Order), cafe.port(Service::Barista));
        let mut request = load::Request::new();
        let request = std::cell::RefCell::new(&mut request);
        let keyed = |key| request.borrow_mut().keyed(key).to_vec();
        let accepted = load::open(ports.0, RATE, windows.length, keyed)?;
        accepted.demand_all_taken()?;
        wait_until_queued(&cafe);
        let queued = heard::window(ports, &cafe.staff_key, windows.length)?;
        cafe.end()?;
        Ok(Visit {
            started_s,
            accepted_ms: accepted.ms(0.99),
            queued_ms: queued.value_at_quantile(0.99) as f64 / 1000.0,
        })
    }

    /// Gives it a past.
    fn fill(&self, ground: &Ground, past: u64, open: u64) -> Result<()> {
        self.models(&["--robot", "--robot-speed", "1000"], "picked_up")?;
        self.models(&[], "paid")?;
        let data = self.folder.path().join("data");
        let run = |service: Service, sql: &str| match self.flags.as_slice() {
            [_, url] => on_server(ground, url, service, sql),
            _ => in_file(&data.join(format!("{}.sqlite", service.name())), sql),
        };
        copies::make(&run, if self.flags.is_empty() { &SQLITE } else { &POSTGRES }, past, open)?;
        if let [_, url] = self.flags.as_slice() {
            // Time does that too.
            ground.postgres.as_ref().context("a server")?.psql_at(url, "VACUUM (ANALYZE)")?;
            ground.postgres.as_ref().context("a server")?.psql_at(url, "CHECKPOINT")?;
        }
        Ok(())
    }

    /// Orders that come as far as `status`.
    fn models(&self, flags: &[&str], status: &str) -> Result<()> {
        let cafe = self.start(flags)?;
        let mut placed = Vec::new();
        for _ in 0..MODELS {
            let answer = http::post(cafe.port(Service::Order), "/orders", None, load::ORDER)?.json();
            placed.push(answer["id"].as_str().context("an order without an id")?.to_owned());
        }
        for id in placed {
            let has_come = || {
                let path = format!("/orders/{id}");
                let order = http::get(cafe.port(Service::Order), &path, Some(&cafe.staff_key)).ok()?.json();
                (order["status"] == status).then_some(())
            };
            wait_until(MOMENT, &format!("an order is {status}"), has_come);
        }
        wait_until_queued(&cafe);
        cafe.end()
    }

    fn bytes(&self, ground: &Ground) -> Result<f64> {
        if let [_, url] = self.flags.as_slice() {
            let postgres = ground.postgres.as_ref().context("a server")?;
            return Ok(postgres.psql_at(url, "SELECT pg_database_size(current_database())")?.parse()?);
        }
        let files = fs::read_dir(self.folder.path().join("data"))?;
        let sizes = files.map(|file| Ok(file?.metadata()?.len() as f64));
        sizes.sum()
    }
}

/// Until everybody has heard everything.
fn wait_until_queued(cafe: &Replicas) {
    let is_behind = |service: Service| -> Option<bool> {
        let ready = http::get(cafe.port(service), "/health/ready", None).ok()?.json();
        Some(ready["links"].as_array()?.iter().any(|link| link["behind"] != 0))
    };
    let settled = || {
        // Nothing new comes from those that were asked before.
        let twice = Service::ALL.iter().chain(&Service::ALL);
        twice.map(|service| is_behind(*service)).all(|behind| behind == Some(false)).then_some(())
    };
    wait_until(MOMENT * 3, "everybody has heard everything", settled);
}

fn in_file(file: &Path, sql: &str) -> Result<String> {
    let mut db = Connection::open_as_it_is(file)?;
    if sql.starts_with("SELECT") {
        return Ok(db.query(sql, &[], |row| row.text(0))?.join("\n"));
    }
    db.batch("PRAGMA synchronous = OFF")?;
    db.batch(sql)?;
    Ok(String::new())
}

/// Nothing is lost with a commit that is not on disk at once: whoever is measured comes later.
fn on_server(ground: &Ground, url: &str, service: Service, sql: &str) -> Result<String> {
    let schema = format!("SET search_path = cafe_{}; SET synchronous_commit = off", service.name());
    ground.postgres.as_ref().context("a server")?.psql_at(url, &format!("{schema}; {sql}"))
}
