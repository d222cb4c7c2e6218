//! A cafe at work, recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::found::{Disk, Image};
use super::strace::{self, Op, What};
use super::{Draw, Kind, Moment};
use crate::{Cafe, ROBOT, Service, http, wait_until};

/// Whoever is served during a part of the record: enough for a log to be copied back now and then.
const CUSTOMERS: u32 = 24;
/// At a time.
const CUSTOMERS_AT_ONCE: u32 = 3;
/// One of so many wants its order undone at once.
const CANCELS: u32 = 5;
const TOKENS: [&str; 4] = ["tok_ok", "tok_ok", "tok_declined", "tok_error"];
/// Being traced takes time.
const SERVED: Duration = Duration::from_mins(1);
/// More than is written at once: strace is to print all of it.
const LONGEST_WRITE: &str = "16777216";
/// Deaths of each service.
const DEATHS: u32 = 2;

/// Everything done to the files of a cafe and everything answered, from its first start to its end.
#[derive(Debug)]
pub struct Record {
    root: PathBuf,
    ops: Vec<Op>,
}

/// What an order's customer was told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Promised {
    pub(super) number: Value,
    pub(super) total: Value,
    /// That the wish to undo it is on disk.
    pub(super) cancel: bool,
}

impl Record {
    /// Records a cafe whose services are killed now and then while it has customers.
    ///
    /// # Errors
    /// If strace is missing and cannot be installed, or the program does something with a file that is not understood.
    ///
    /// # Panics
    /// If customers are not served.
    pub fn make() -> Result<Self> {
        let strace = cafe_rig::strace()?;
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("strace");
        let flags = ["-f", "-q", "-y", "-xx", "-ttt", "--seccomp-bpf", "-e", "signal=kill", "-s", LONGEST_WRITE, "-e"];
        let wrapper = [strace.into_os_string()].into_iter().chain(flags.map(OsString::from));
        let wrapper = wrapper.chain([strace::TRACED.into(), "-o".into(), log.clone().into_os_string()]);
        let mut cafe = Cafe::up_under(&wrapper.collect::<Vec<_>>(), &ROBOT);
        let root = std::fs::canonicalize(cafe.folder.path())?;
        let mut served = customers(&cafe, || {});
        for service in [Service::ALL; DEATHS as usize].concat() {
            served.append(&mut customers(&cafe, || _ = cafe.kill(service)));
        }
        served.append(&mut customers(&cafe, || _ = cafe.kill_all()));
        ensure!(cafe.close().success(), "the cafe ends in order");
        let record = Self { ops: strace::read(&std::fs::read(&log)?, &root)?, root };
        let recorded: BTreeSet<String> = record.promised(usize::MAX)?.into_keys().collect();
        ensure!(served.is_subset(&recorded), "an answer is missing in the record");
        Ok(record)
    }

    /// A moment of a kind, drawn.
    pub(super) fn moment(&self, kind: Kind, draw: &Draw) -> Moment {
        kind.draw(&self.ops, draw)
    }

    /// What was answered by then, by the orders' ids. An answer counts from when it begins to be sent.
    pub(super) fn promised(&self, line: usize) -> Result<BTreeMap<String, Promised>> {
        let mut promised = BTreeMap::new();
        for op in self.ops.iter().take_while(|op| op.begun <= line) {
            let What::Answer(answer) = &op.what else { continue };
            let text = String::from_utf8_lossy(answer);
            let (head, body) = text.split_once("\r\n\r\n").context("an answer without an end of its head")?;
            let status = head.split(' ').nth(1).unwrap_or_default();
            let order: Value = serde_json::from_str(body).unwrap_or_default();
            let Some(id) = order["id"].as_str().filter(|_| ["201", "202"].contains(&status)) else { continue };
            let (number, total) = (order["number"].clone(), order["total"].clone());
            promised.insert(id.to_owned(), Promised { number, total, cancel: status == "202" });
        }
        Ok(promised)
    }

    /// One of the folders that may be found after a power cut at that moment.
    pub(super) fn found(&self, moment: Moment, draw: &Draw) -> Result<Image> {
        Ok(Disk::at(moment.line, &self.ops, self.root())?.after_a_power_cut(draw))
    }

    fn root(&self) -> &Path {
        &self.root
    }
}

/// Serves customers, does the harm when half of them have been, and answers whose orders were taken.
fn customers(cafe: &Cafe, harm: impl FnOnce()) -> BTreeSet<String> {
    let (next, served) = (AtomicU32::new(0), Mutex::new(BTreeSet::new()));
    let count = || served.lock().expect("no customer panics").len();
    thread::scope(|scope| {
        for _ in 0..CUSTOMERS_AT_ONCE {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < CUSTOMERS {
                    let id = customer(cafe, next.load(Ordering::Relaxed));
                    served.lock().expect("no customer panics").insert(id);
                }
            });
        }
        wait_until(SERVED, "half of the customers are served", || {
            (count() >= CUSTOMERS as usize / 2).then_some(())
        });
        harm();
    });
    served.into_inner().expect("no customer panics")
}

/// Orders, again and again under the same key until it is taken, and answers its id.
fn customer(cafe: &Cafe, n: u32) -> String {
    let port = cafe.port(Service::Order);
    let key = format!("customer-{}", cafe.count_served(1));
    let token = TOKENS[n as usize % TOKENS.len()];
    let body = format!(
        r#"{{"items":[{{"menu":"latte","quantity":{}}}],"payment":{{"vendor":"simulator","token":"{token}"}}}}"#,
        n % 3 + 1
    );
    let order = || {
        let answer = http::post_with(port, "/orders", ("idempotency-key", &key), &body).ok()?;
        (answer.status == 201).then(|| answer.json())
    };
    let (order, _) = wait_until(SERVED, "an order is taken", order);
    let (id, token) = (&order["id"], &order["token"]);
    let (id, token) = (id.as_str().unwrap_or_default(), token.as_str().unwrap_or_default());
    if n.is_multiple_of(CANCELS) {
        let bearer = format!("Bearer {token}");
        // It may come too late, and order may just have been killed.
        let _ = http::post_with(port, &format!("/orders/{id}/cancel"), ("authorization", &bearer), "{}");
    }
    id.to_owned()
}
