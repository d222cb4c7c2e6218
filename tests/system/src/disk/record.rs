//! A cafe at work, recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
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
/// From one start of everything to its death.
const LIVES: u32 = 3;
/// A thread that begins so many syncs dies of the last: some twenty orders.
const DEADLY: &str = "inject=fsync,fdatasync:signal=SIGKILL:when=100";

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
    /// Records a cafe whose services are killed while it has customers: at any moment, and again and again between a write and
    /// its sync. What was only written then is read by whoever is there first when all have been.
    ///
    /// # Errors
    /// If strace is missing and cannot be installed, or the program does something with a file that is not understood.
    ///
    /// # Panics
    /// If customers are not served.
    pub fn make() -> Result<Self> {
        let strace = cafe_rig::strace()?;
        let folder = tempfile::tempdir()?;
        let mut cafe = Cafe::closed(&ROBOT);
        let root = std::fs::canonicalize(cafe.folder.path())?;
        let (mut ops, mut served) = (Vec::new(), BTreeSet::new());
        for life in 1..=LIVES {
            let log = folder.path().join("strace");
            cafe.wrapper = wrapper(&strace, &log);
            cafe.open();
            cafe.wait_until_ready();
            wait_until(SERVED, "all that was said is heard", || has_heard_all(&cafe).then_some(()));
            served.append(&mut customers(&cafe, || _ = cafe.kill_all()));
            served.append(&mut customers(&cafe, || ()));
            if life == LIVES {
                _ = cafe.close();
            } else {
                served.append(&mut to_the_death(&mut cafe));
            }
            strace::read(&std::fs::read(&log)?, &root, &mut ops)?;
        }
        let record = Self { root, ops };
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
            let Some(id) = order["id"].as_str().filter(|_| ["201", "202"].contains(&status)) else {
                continue;
            };
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

/// Follows `cafe up` and all it starts, kills who syncs too often, and logs all that is understood.
fn wrapper(strace: &Path, log: &Path) -> Vec<OsString> {
    let mut wrapper = vec![strace.into()];
    // With `--seccomp-bpf` it would kill nobody.
    wrapper.extend(["-f", "-q", "-y", "-xx", "-ttt"].map(OsString::from));
    wrapper.extend(["-e", "signal=kill", "-s", LONGEST_WRITE, "-e", strace::TRACED].map(OsString::from));
    wrapper.extend(["-e", DEADLY, "-o"].map(OsString::from));
    wrapper.push(log.into());
    wrapper
}

fn has_heard_all(cafe: &Cafe) -> bool {
    Service::ALL.into_iter().all(|service| {
        let health = cafe.health(service);
        let links = health["links"].as_array().filter(|links| !links.is_empty());
        links.is_some_and(|links| links.iter().all(|link| link["position"] == link["last"]))
    })
}

/// Orders until order dies of it, watched over by nobody, and ends the others.
fn to_the_death(cafe: &mut Cafe) -> BTreeSet<String> {
    cafe.kill_supervisor();
    let mut served = BTreeSet::new();
    while let Some(answer) = cafe.pid(Service::Order).and_then(|_| order(cafe, 1)) {
        served.extend(answer["id"].as_str().map(str::to_owned));
        assert!(served.len() < CUSTOMERS as usize * 4, "order does not die");
    }
    wait_until(SERVED, "nobody is left", || {
        let left = Service::ALL.into_iter().filter_map(|service| cafe.pid(service));
        left.map(|pid| crate::cafe::signal(pid, Signal::KILL)).next().is_none().then_some(())
    });
    let mut wrapper = cafe.up.take().expect("strace has followed them");
    wrapper.wait().expect("strace ends with the last");
    served
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

/// Orders, again and again until it is taken, and answers the order's id.
fn customer(cafe: &Cafe, n: u32) -> String {
    let (order, _) = wait_until(SERVED, "an order is taken", || order(cafe, n));
    let text = |field: &str| order[field].as_str().unwrap_or_default().to_owned();
    if n.is_multiple_of(CANCELS) {
        let path = format!("/orders/{}/cancel", text("id"));
        let bearer = format!("Bearer {}", text("token"));
        // It may come too late, and order may just have been killed.
        let _ = http::post_with(cafe.port(Service::Order), &path, ("authorization", &bearer), "{}");
    }
    text("id")
}

/// Orders once; nothing if that is not answered or refused.
fn order(cafe: &Cafe, n: u32) -> Option<Value> {
    let key = format!("customer-{}", cafe.count_served(1));
    let (token, quantity) = (TOKENS[n as usize % TOKENS.len()], n % 3 + 1);
    let body = format!(
        r#"{{"items":[{{"menu":"latte","quantity":{quantity}}}],"payment":{{"vendor":"simulator","token":"{token}"}}}}"#
    );
    let port = cafe.port(Service::Order);
    let answer = http::post_with(port, "/orders", ("idempotency-key", &key), &body).ok()?;
    (answer.status == 201).then(|| answer.json())
}
