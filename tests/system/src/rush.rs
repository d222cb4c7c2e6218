//! A steady stream of customers who do not wait for each other, and who try again with the same key until they are served.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Semaphore;

use crate::control::Control;
use crate::wire::{self, Wire};
use crate::{Cafe, MOMENT, Outage, Service, wait_until};

/// Past this, an answer from an order service that works is late.
const IN_TIME: Duration = Duration::from_secs(1);
/// A customer who has not been served by then gives up, which fails the test.
const PATIENCE: Duration = Duration::from_mins(1);
/// Until every order has come to its end after the last harm.
const SETTLED: Duration = Duration::from_mins(2);
/// Before a refused customer tries again.
const PAUSE: Duration = Duration::from_millis(100);
/// Customers beyond this many wait in line; their time runs.
const CONNECTIONS: usize = 256;

/// Customers who are still coming.
#[derive(Debug)]
pub struct Rush {
    rate: u32,
    stop: Arc<AtomicBool>,
    served: Arc<AtomicU64>,
    thread: JoinHandle<Vec<Post>>,
    control: Control,
}

/// One customer's order.
#[derive(Clone, Debug)]
pub struct Post {
    /// When it was due, whether or not a connection was free.
    pub at: Instant,
    /// Until its first answer or failure.
    pub took: Duration,
    /// The first answer's status, or how it failed.
    pub first: Result<u16, String>,
    /// When to try again, in seconds, where the first answer said so.
    pub retry_after: Option<u32>,
    /// How often it was sent.
    pub tries: u32,
    /// The order that came of it in the end.
    pub order_id: Option<String>,
}

/// Everything that came of a rush.
#[derive(Debug)]
pub struct Rushed {
    /// In the order in which they were due.
    pub posts: Vec<Post>,
    /// When not even a file could be synced: who came then is not asked how promptly they were answered.
    stalls: Vec<Outage>,
}

impl Rush {
    /// Customers at `rate` a second from now on, who pay with the simulator's `tokens` in turn.
    pub fn start(cafe: &Cafe, rate: u32, tokens: &[&str]) -> Self {
        Self::start_at(&[cafe.port(Service::Order)], rate, tokens)
    }

    /// The same at several replicas of order in turn: whoever is refused by one tries the next.
    pub fn start_at(ports: &[u16], rate: u32, tokens: &[&str]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let served = Arc::new(AtomicU64::new(0));
        let shop = Arc::new(Shop {
            doors: ports.iter().map(|port| Door { port: *port, idle: std::sync::Mutex::default() }).collect(),
            tokens: tokens.iter().map(|&token| token.to_owned()).collect(),
            served: Arc::clone(&served),
            connections: Semaphore::new(CONNECTIONS),
        });
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime for the customers").block_on(serve_customers(&shop, rate, &stopped))
        });
        Self { rate, stop, served, thread, control: Control::start() }
    }

    /// How many have been served so far.
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// Waits until so many more have been served.
    ///
    /// # Panics
    /// If that takes a moment longer than they take to come.
    pub fn wait_for_customers(&self, customers: u32) {
        let until = self.served() + u64::from(customers);
        let limit = MOMENT + Duration::from_secs(1) * customers / self.rate;
        wait_until(limit, "customers are served", || (self.served() >= until).then_some(()));
    }

    /// The same for those who come in so many seconds.
    pub fn wait_for_seconds(&self, seconds: u32) {
        self.wait_for_customers(seconds * self.rate);
    }

    /// No more customers; those who came are waited for.
    pub fn stop(self) -> Rushed {
        self.stop.store(true, Ordering::Relaxed);
        let posts = self.thread.join().expect("the customers' thread ends well");
        Rushed { posts, stalls: self.control.stalls() }
    }
}

impl Rushed {
    /// Demands that everybody was served in the end, and that whoever came while order was alive was answered 201 within a
    /// second. `dead` are the times in which it was not.
    ///
    /// # Panics
    /// If not, naming the first who were not.
    pub fn demand_prompt_answers(&self, dead: &[Outage]) {
        let left_out = self.posts.iter().filter(|post| post.order_id.is_none()).count();
        assert_eq!(left_out, 0, "customers who were never served; one of them: {:?}", self.late(&[]).first());
        let late = self.late(dead);
        let shown = &late[..late.len().min(5)];
        assert!(
            late.is_empty(),
            "{} of {} not answered 201 within a second: {shown:#?}",
            late.len(),
            self.posts.len()
        );
    }

    /// Demands that everybody was told within a second: that their order is taken, or that it cannot be at the moment and when
    /// to come again. Answers how many were told that.
    ///
    /// # Panics
    /// If not, naming the first who were not.
    pub fn demand_told_in_time(&self) -> usize {
        let is_refused = |post: &Post| {
            matches!(post.first, Ok(429 | 503 | 504)) && post.retry_after.is_some_and(|s| s > 0)
        };
        let is_told = |post: &&Post| (post.first == Ok(201) || is_refused(post)) && post.took <= IN_TIME;
        let untold: Vec<_> = self.unhindered(&[]).filter(|post| !is_told(post)).collect();
        let shown = &untold[..untold.len().min(5)];
        assert!(untold.is_empty(), "{} of {} were not told: {shown:#?}", untold.len(), self.posts.len());
        self.posts.iter().filter(|post| is_refused(post)).count()
    }

    /// Demands that nobody was refused, and that few waited for longer than a second, on a machine on which servers start
    /// meanwhile.
    ///
    /// # Panics
    /// If not, naming the first who were.
    pub fn demand_taken_throughout(&self) {
        let refused: Vec<_> = self.unhindered(&[]).filter(|post| post.first != Ok(201)).collect();
        assert!(refused.is_empty(), "{} were refused; one of them: {:?}", refused.len(), refused[0]);
        let late = self.late(&[]);
        assert!(late.len() * 50 <= self.posts.len(), "{} of {} are late", late.len(), self.posts.len());
    }

    /// Waits until everything has settled and demands that all is well: prompt answers, each customer's order there once,
    /// and a clean audit.
    ///
    /// # Panics
    /// If not.
    pub fn demand_all_well(&self, cafe: &Cafe, dead: &[Outage]) {
        self.demand_prompt_answers(dead);
        self.demand_all_served(cafe);
    }

    /// The same without a word on how promptly: everybody was served in the end.
    ///
    /// # Panics
    /// If not.
    pub fn demand_all_served(&self, cafe: &Cafe) {
        let left_out = self.posts.iter().filter(|post| post.order_id.is_none()).collect::<Vec<_>>();
        assert!(left_out.is_empty(), "{} were never served; one of them: {:?}", left_out.len(), left_out[0]);
        let orders = cafe.settle(SETTLED);
        let taken: Vec<&str> = self.posts.iter().filter_map(|post| post.order_id.as_deref()).collect();
        let known: BTreeSet<&str> = orders.iter().filter_map(|order| order["id"].as_str()).collect();
        let lost: Vec<_> = taken.iter().filter(|id| !known.contains(*id)).collect();
        assert!(lost.is_empty(), "orders that were answered 201 and are not there: {lost:?}");
        let served_before = cafe.count_served(taken.len());
        assert_eq!(known.len(), served_before + self.posts.len(), "each customer has an order of their own");
        cafe.audit();
    }

    fn late(&self, dead: &[Outage]) -> Vec<&Post> {
        let is_late = |post: &&Post| post.first != Ok(201) || post.took > IN_TIME;
        self.unhindered(dead).filter(is_late).collect()
    }

    /// Whoever came neither while order was `dead` nor while the machine stood still. What has piled up by the end of a stall
    /// takes a moment longer.
    fn unhindered(&self, dead: &[Outage]) -> impl Iterator<Item = &Post> {
        let stalls = self.stalls.iter().map(|it| Outage { from: it.from, to: it.to + IN_TIME });
        let hindered: Vec<_> = dead.iter().copied().chain(stalls).collect();
        let is_free =
            move |post: &&Post| hindered.iter().all(|it| post.at + IN_TIME < it.from || post.at > it.to);
        self.posts.iter().filter(is_free)
    }
}

struct Shop {
    doors: Vec<Door>,
    tokens: Vec<String>,
    served: Arc<AtomicU64>,
    connections: Semaphore,
}

/// An answer.
struct Said {
    status: u16,
    retry_after: Option<u32>,
    body: Value,
}

/// The way to one process.
struct Door {
    port: u16,
    idle: std::sync::Mutex<Vec<Wire>>,
}

async fn serve_customers(shop: &Arc<Shop>, rate: u32, stop: &AtomicBool) -> Vec<Post> {
    let opened = Instant::now();
    let mut customers = Vec::new();
    for n in 0.. {
        let at = opened + Duration::from_secs(1) * n / rate;
        tokio::time::sleep_until(at.into()).await;
        if stop.load(Ordering::Relaxed) {
            break;
        }
        customers.push(tokio::spawn(customer(Arc::clone(shop), n, at)));
    }
    let mut posts = Vec::new();
    for customer in customers {
        posts.push(customer.await.expect("a customer does not panic"));
    }
    posts
}

async fn customer(shop: Arc<Shop>, n: u32, at: Instant) -> Post {
    let request = shop.request(n, at);
    let mut doors = shop.doors.iter().cycle().skip(n as usize % shop.doors.len());
    let mut try_next = async || match doors.next() {
        Some(door) => shop.post(door, &request).await,
        None => Err("there is no door".to_owned()),
    };
    let first = try_next().await;
    let mut post = Post {
        at,
        took: at.elapsed(),
        first: first.as_ref().map(|it| it.status).map_err(Clone::clone),
        retry_after: first.as_ref().ok().and_then(|it| it.retry_after),
        tries: 1,
        order_id: None,
    };
    let mut answer = first;
    loop {
        if let Ok(Said { status: 201, body, .. }) = &answer {
            post.order_id = body["id"].as_str().map(str::to_owned);
            shop.served.fetch_add(1, Ordering::Relaxed);
            return post;
        }
        if at.elapsed() > PATIENCE {
            return post;
        }
        tokio::time::sleep(PAUSE).await;
        post.tries += 1;
        answer = try_next().await;
    }
}

impl Shop {
    fn request(&self, n: u32, at: Instant) -> Vec<u8> {
        let token = &self.tokens[n as usize % self.tokens.len()];
        let body = format!(
            r#"{{"items":[{{"menu":"americano","size":"large","quantity":2}},{{"menu":"latte","quantity":1}}],"payment":{{"vendor":"simulator","token":"{token}"}}}}"#
        );
        wire::post("/orders", &[("idempotency-key", &format!("rush-{at:?}-{n}"))], &body)
    }

    async fn post(&self, door: &Door, request: &[u8]) -> Result<Said, String> {
        let _place = self.connections.acquire().await.map_err(|closed| closed.to_string())?;
        let sent = tokio::time::timeout(PATIENCE, door.send(request)).await;
        sent.map_err(|_| "no answer".to_owned())?.map_err(|failure| failure.to_string())
    }
}

impl Door {
    /// A kept connection may have died with the server it led to; that says nothing about the server of now, and the key
    /// makes it safe to send again.
    async fn send(&self, request: &[u8]) -> std::io::Result<Said> {
        let kept = self.idle.lock().expect("no customer panics").pop();
        if let Some(mut wire) = kept
            && let Ok(answer) = self.send_on(&mut wire, request).await
        {
            self.keep(wire);
            return Ok(answer);
        }
        let mut wire = Wire::connect(self.port).await?;
        let answer = self.send_on(&mut wire, request).await?;
        self.keep(wire);
        Ok(answer)
    }

    async fn send_on(&self, wire: &mut Wire, request: &[u8]) -> std::io::Result<Said> {
        let answer = wire.send(request).await?;
        let body = serde_json::from_slice(answer.body).unwrap_or_default();
        Ok(Said { status: answer.status, retry_after: answer.retry_after, body })
    }

    fn keep(&self, wire: Wire) {
        self.idle.lock().expect("no customer panics").push(wire);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_while_order_was_dead_or_the_machine_stood_still_may_be_late() {
        let start = Instant::now();
        let second = |n: u32| start + Duration::from_secs(1) * n;
        let post = |at, first| Post {
            at,
            took: Duration::from_millis(3),
            first,
            retry_after: None,
            tries: 1,
            order_id: Some("o".into()),
        };
        let refused = Err("refused".to_owned());
        let posts = vec![post(second(1), Ok(201)), post(second(10), refused), post(second(20), Ok(503))];
        let mut rushed = Rushed { posts, stalls: Vec::new() };
        assert_eq!(rushed.late(&[]).len(), 2);
        assert_eq!(rushed.late(&[Outage { from: second(9), to: second(11) }]).len(), 1);
        assert_eq!(rushed.late(&[Outage { from: second(9), to: second(30) }]).len(), 0);
        rushed.stalls.push(Outage { from: second(18), to: second(19) });
        assert_eq!(rushed.late(&[]).len(), 1);
    }
}
