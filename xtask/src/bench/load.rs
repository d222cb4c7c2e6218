//! Load on one port of this machine, from one thread, and how long each answer took.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cafe_system_tests::wire::{self, Wire};
use cafe_system_tests::{Cafe, Service};
use hdrhistogram::Histogram;
use tokio::task::LocalSet;

/// Before the first answer that counts.
const WARM_UP: Duration = Duration::from_secs(1);
/// No answer is waited for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of a window of load.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// Orders a second.
    pub(crate) rate: f64,
    /// Of each answer, in microseconds.
    pub(crate) latency_us: Histogram<u64>,
    /// Answers other than 201, and requests without one.
    pub(crate) failed: u64,
    /// What the first of them came to.
    failure: Option<String>,
}

impl Load {
    /// An error if an order was not taken.
    pub(crate) fn demand_all_taken(&self) -> Result<()> {
        let failure = self.failure.as_deref().unwrap_or_default();
        ensure!(self.failed == 0, "{} orders were not taken, the first of them: {failure}", self.failed);
        Ok(())
    }

    /// Milliseconds within which this share of all requests was answered, such as 0.99.
    pub(crate) fn ms(&self, share: f64) -> f64 {
        self.latency_us.value_at_quantile(share) as f64 / 1000.0
    }
}

/// An empty histogram: microseconds up to a minute, three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds that make sense")
}

/// A body as a customer sends it, two lines.
pub(crate) const ORDER: &str = r#"{"items":[{"menu":"americano","size":"large","quantity":2},{"menu":"latte","quantity":1}],"takeout":true,"payment":{"vendor":"simulator","token":"tok_ok"}}"#;

/// The Idempotency-Keys of a window of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Orders without one.
    None,
    /// Each greater than those before, as version 7 UUIDs are.
    InOrder,
    /// All over the place, as version 4 UUIDs are.
    Random,
}

impl Keys {
    /// The key of the window's nth request.
    fn key(self, window: u128, n: u64) -> u128 {
        /// Odd, so that no two products are the same; its high bits scatter (2^128 divided by the golden ratio).
        const SCATTER: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
        let key = window | u128::from(n);
        if self == Self::Random { key.wrapping_mul(SCATTER) } else { key }
    }
}

/// Where orders are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shop {
    pub(crate) port: u16,
    pub(crate) path: &'static str,
    /// Stores that the orders are for, in turn; with one they name none.
    pub(crate) stores: u32,
}

/// The order service of a cafe.
pub(crate) fn shop(cafe: &Cafe) -> Shop {
    Shop { port: cafe.port(Service::Order), path: PATH, stores: 1 }
}

/// Where the order service takes orders.
pub(crate) const PATH: &str = "/orders";

/// A request made beforehand, with a key of its own each time it is sent.
#[derive(Clone)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    key_at: Option<usize>,
    store_at: Option<usize>,
    stores: u32,
}

const KEY: &str = "00000000000000000000000000000000";
const STORE: &str = "store-0000";

impl Request {
    pub(crate) fn new() -> Self {
        Self::made(PATH, &[("idempotency-key", KEY)], 1)
    }

    fn with(shop: Shop, keys: Keys) -> Self {
        let headers: &[_] = if keys == Keys::None { &[] } else { &[("idempotency-key", KEY)] };
        Self::made(shop.path, headers, shop.stores)
    }

    fn made(path: &str, headers: &[(&str, &str)], stores: u32) -> Self {
        let named = ORDER.replacen('{', &format!(r#"{{"store":"{STORE}","#), 1);
        let bytes = wire::post(path, headers, if stores > 1 { &named } else { ORDER });
        let find = |text: &str| bytes.windows(text.len()).position(|part| part == text.as_bytes());
        Self { key_at: find(KEY), store_at: find(STORE), bytes, stores }
    }

    /// The request, under the key of this number where it has one, for the store whose turn it is.
    pub(crate) fn keyed(&mut self, key: u128) -> &[u8] {
        if let Some(at) = self.store_at {
            let name = format!("store-{:04}", key % u128::from(self.stores));
            self.bytes[at..at + STORE.len()].copy_from_slice(name.as_bytes());
        }
        if let Some(at) = self.key_at {
            let digits = format!("{key:032x}");
            self.bytes[at..at + KEY.len()].copy_from_slice(digits.as_bytes());
        }
        &self.bytes
    }
}

/// Different for each call in this process and, for all that matters here, between processes.
pub(crate) fn fresh_keys() -> u128 {
    thread_local!(static CALLS: Cell<u64> = const { Cell::new(0) });
    let call = CALLS.with(|calls| calls.replace(calls.get() + 1));
    (u128::from(std::process::id()) << 96) | (u128::from(call) << 64)
}

/// Each of so many connections sends as soon as it was answered.
///
/// A stall holds up only the few requests that are under way, where open customers would all have waited. So each slow
/// answer is counted as the row of requests that it kept from being sent, one mean time after the other.
pub(crate) fn closed(shop: Shop, connections: usize, length: Duration, keys: Keys) -> Result<Load> {
    closed_while(shop, connections, length, keys, || true)
}

/// The same, each sending only while `may_send`; it looks again a moment later.
pub(crate) fn closed_while(
    shop: Shop,
    connections: usize,
    length: Duration,
    keys: Keys,
    may_send: impl Fn() -> bool + 'static,
) -> Result<Load> {
    let seen = Rc::new(Seen::new());
    let from = Instant::now() + WARM_UP;
    let until = from + length;
    let may_send = Rc::new(may_send);
    let window = fresh_keys();
    let sent_so_far = Rc::new(Cell::new(0));
    run(|| {
        for _ in 0..connections {
            let (seen, may_send) = (Rc::clone(&seen), Rc::clone(&may_send));
            let sent_so_far = Rc::clone(&sent_so_far);
            tokio::task::spawn_local(async move {
                let mut request = Request::with(shop, keys);
                let mut wire = seen.connect(shop.port).await?;
                loop {
                    while !may_send() && Instant::now() < until {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    let sent = Instant::now();
                    if sent >= until {
                        break;
                    }
                    sent_so_far.set(sent_so_far.get() + 1);
                    let key = keys.key(window, sent_so_far.get());
                    let answered = seen.send(&mut wire, request.keyed(key)).await;
                    if answered && sent >= from {
                        seen.record(sent.elapsed());
                    }
                }
                Some(())
            });
        }
    })?;
    let mut load = seen.load(from.elapsed());
    load.latency_us = load.latency_us.clone_correct((load.latency_us.mean() as u64).max(1));
    ensure!(!load.latency_us.is_empty(), "not one order was answered 201 on port {}", shop.port);
    Ok(load)
}

/// Requests at `rate` a second whatever comes back; time runs from when each was due.
pub(crate) fn open(
    port: u16,
    rate: u32,
    length: Duration,
    request: impl Fn(u128) -> Vec<u8>,
) -> Result<Load> {
    let seen = Rc::new(Seen::new());
    let opened = Instant::now();
    let due = |n: u32| opened + Duration::from_secs(1) * n / rate;
    let requests = (length.as_secs_f64() * f64::from(rate)) as u32;
    let keys = fresh_keys();
    let request = &request;
    run(|| {
        let requests: Vec<_> = (0..requests).map(|n| (due(n), request(keys | u128::from(n)))).collect();
        let seen = Rc::clone(&seen);
        tokio::task::spawn_local(async move {
            for (due, request) in requests {
                tokio::time::sleep_until(due.into()).await;
                let seen = Rc::clone(&seen);
                tokio::task::spawn_local(async move {
                    if seen.send_kept(port, &request).await {
                        seen.record(due.elapsed());
                    }
                });
            }
            Some(())
        });
    })?;
    Ok(seen.load(opened.elapsed()))
}

/// Runs what `start` spawns to its end, in this thread.
fn run(start: impl FnOnce()) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("a runtime")?;
    let tasks = LocalSet::new();
    {
        let _inside = tasks.enter();
        start();
    }
    runtime.block_on(tasks);
    Ok(())
}

/// What became of a request that was not answered well.
enum Failure {
    /// The connection was closed before an answer.
    Closed,
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the connection was closed before an answer"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

async fn try_send(wire: &mut Wire, request: &[u8]) -> Result<(), Failure> {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    let failed = match tokio::time::timeout(PATIENCE, wire.send(request)).await {
        Ok(Ok(answer)) if answer.status / 100 == 2 => return Ok(()),
        Ok(Ok(answer)) => format!("{} {}", answer.status, String::from_utf8_lossy(answer.body)),
        Ok(Err(error)) if [BrokenPipe, ConnectionReset, UnexpectedEof].contains(&error.kind()) => {
            return Err(Failure::Closed);
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer in {PATIENCE:?}"),
    };
    Err(Failure::Other(failed))
}

/// What all connections of a window have seen.
struct Seen {
    latency_us: RefCell<Histogram<u64>>,
    failed: Cell<u64>,
    failure: RefCell<Option<String>>,
    kept: RefCell<Vec<Wire>>,
}

impl Seen {
    fn new() -> Self {
        Self {
            latency_us: RefCell::new(histogram()),
            failed: Cell::new(0),
            failure: RefCell::default(),
            kept: RefCell::default(),
        }
    }

    fn record(&self, took: Duration) {
        self.latency_us.borrow_mut().saturating_record(took.as_micros() as u64);
    }

    fn fail(&self, failure: &str) {
        self.failed.set(self.failed.get() + 1);
        self.failure.borrow_mut().get_or_insert_with(|| failure.to_owned());
    }

    fn load(&self, length: Duration) -> Load {
        let latency_us = self.latency_us.borrow().clone();
        Load {
            rate: latency_us.len() as f64 / length.as_secs_f64(),
            latency_us,
            failed: self.failed.get(),
            failure: self.failure.borrow().clone(),
        }
    }

    async fn connect(&self, port: u16) -> Option<Wire> {
        let wire = Wire::connect(port).await;
        wire.inspect_err(|error| self.fail(&format!("no connection: {error}"))).ok()
    }

    /// Whether it was answered well.
    async fn send(&self, wire: &mut Wire, request: &[u8]) -> bool {
        let answered = try_send(wire, request).await;
        answered.inspect_err(|failure| self.fail(&failure.to_string())).is_ok()
    }

    async fn send_kept(&self, port: u16, request: &[u8]) -> bool {
        let kept = self.kept.borrow_mut().pop();
        if let Some(mut wire) = kept {
            match try_send(&mut wire, request).await {
                // One that was idle for long is closed by the server; any client asks again on a new one.
                Err(Failure::Closed) => {}
                answered => return self.noted(answered, wire),
            }
        }
        let Some(mut wire) = self.connect(port).await else { return false };
        let answered = try_send(&mut wire, request).await;
        self.noted(answered, wire)
    }

    /// A connection on which all went well is kept.
    fn noted(&self, answered: Result<(), Failure>, wire: Wire) -> bool {
        match answered {
            Ok(()) => {
                self.kept.borrow_mut().push(wire);
                true
            }
            Err(failure) => {
                self.fail(&failure.to_string());
                false
            }
        }
    }
}
