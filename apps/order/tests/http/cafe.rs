//! An order service on a free port and in a folder of its own, and stand-ins for payment and barista.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use cafe_clock::{Clock, Ids, from_ms};
use cafe_delivery::{Outbox, Place};
use cafe_events::{
    Currency, Event, OrderId, PaymentApproved, PaymentDeclined, PaymentEvent, Record, Source, TicketEvent,
    TicketQueued, TicketStarted,
};
use cafe_order::{Config, run_on};
use cafe_store::Connection;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Cafe {
    pub(crate) folder: TempDir,
    pub(crate) clock: Clock,
    change: fn(&mut Config),
    running: Running,
    client: Client<HttpConnector, Full<Bytes>>,
}

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Cafe {
    pub(crate) fn open() -> Self {
        Self::open_with(|_| {})
    }

    /// Its clock stands still, at 10:00 UTC, until it is moved.
    pub(crate) fn open_with(change: fn(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::simulated("2026-11-23T10:00:00Z".parse().unwrap());
        let running = start(folder.path(), change, clock.clone());
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { folder, clock, change, running, client }
    }

    /// Stops it, does something to its files, and starts it again.
    pub(crate) async fn reopen_after(&mut self, meanwhile: impl FnOnce(&Path)) {
        self.running.stop.cancel();
        (&mut self.running.ended).await.unwrap();
        meanwhile(&self.folder.path().join("order.sqlite"));
        self.running = start(self.folder.path(), self.change, self.clock.clone());
    }

    /// Stops it, and starts it again with other settings.
    pub(crate) async fn reopen_with(&mut self, change: fn(&mut Config)) {
        self.change = change;
        self.reopen_after(|_| {}).await;
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let response = self.open_answer(method, path, headers, body).await;
        let (parts, body) = response.into_parts();
        let body = tokio::time::timeout(PATIENCE, body.collect()).await.unwrap().unwrap().to_bytes();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    async fn open_answer(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response<Incoming> {
        let uri = format!("http://{}{path}", self.running.address);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_vec())).unwrap();
        tokio::time::timeout(2 * PATIENCE, self.client.request(request)).await.unwrap().unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"").await
    }

    pub(crate) async fn get_with(&self, path: &str, bearer: &str) -> Reply {
        self.send("GET", path, &[("authorization", &format!("Bearer {bearer}"))], b"").await
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.send("POST", path, &all, body.to_string().as_bytes()).await
    }

    /// Takes the order of [`wish`].
    pub(crate) async fn place(&self) -> Taken {
        let reply = self.post("/orders", &[], &wish()).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        Taken::of(&reply)
    }

    /// What the customer sees.
    pub(crate) async fn order(&self, taken: &Taken) -> Value {
        let reply = self.get_with(&taken.path(), &taken.token).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// Waits until the customer sees `status`.
    pub(crate) async fn until(&self, taken: &Taken, status: &str) -> Value {
        let seen = async {
            loop {
                let order = self.order(taken).await;
                if order["status"] == status {
                    return order;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("never {status}"))
    }

    pub(crate) fn staff_key(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("staff.key")).unwrap().trim().to_owned()
    }

    /// Has payment or barista say something about an order.
    pub(crate) fn say(&self, taken: &Taken, version: u32, event: &Event) {
        let source = match event {
            Event::Order(_) => Source::Order,
            Event::Payment(_) => Source::Payment,
            Event::Ticket(_) => Source::Barista,
        };
        let place = Place::new(self.folder.path());
        let mut outbox = Outbox::open(&place, source, &self.clock, &Ids::seeded(1)).unwrap();
        let record = Record::write(event, taken.id, "main", version, from_ms(i64::from(version)), None);
        outbox.say(&[record]).unwrap();
    }

    /// What the service announced, as (kind, body).
    pub(crate) fn announced(&self) -> Vec<(String, Value)> {
        let mut db = Connection::open_reader(&self.folder.path().join("order.sqlite")).unwrap();
        let records = cafe_delivery::read_after(&mut db, 0, 1_000).unwrap();
        records.into_iter().map(|record| (record.kind, serde_json::from_str(&record.body).unwrap())).collect()
    }

    pub(crate) async fn watch(&self, taken: &Taken, last_event_id: Option<&str>) -> Stream {
        let path = format!("{}/events?token={}", taken.path(), taken.token);
        let headers: Vec<_> = last_event_id.map(|id| ("last-event-id", id)).into_iter().collect();
        let response = self.open_answer("GET", &path, &headers, b"").await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream { body: response.into_body(), text: String::new() }
    }
}

impl Drop for Cafe {
    fn drop(&mut self) {
        self.running.stop.cancel();
    }
}

fn start(folder: &Path, change: fn(&mut Config), clock: Clock) -> Running {
    let mut config = Config::new(folder);
    config.zone = jiff::tz::TimeZone::UTC;
    change(&mut config);
    let listener = cafe_web::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let service = run_on(listener, config, clock, Ids::random(), stop.clone());
    let ended = tokio::spawn(async { service.await.unwrap() });
    Running { address, stop, ended }
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The fields at fault that a problem names.
    pub(crate) fn fields(&self) -> Vec<String> {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }
}

/// An order as its customer got it.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) id: OrderId,
    pub(crate) token: String,
    pub(crate) number: String,
    pub(crate) view: Value,
}

impl Taken {
    pub(crate) fn of(reply: &Reply) -> Self {
        let view = reply.json();
        let text = |field: &str| view[field].as_str().unwrap().to_owned();
        Self { id: text("id").parse().unwrap(), token: text("token"), number: text("number"), view }
    }

    pub(crate) fn path(&self) -> String {
        format!("/orders/{}", self.id)
    }

    pub(crate) fn approved(&self) -> Event {
        let lines = self.view["lines"].as_array().unwrap().iter().cloned().map(|mut line| {
            line["making_ms"] = 1.into();
            serde_json::from_value(line).unwrap()
        });
        Event::Payment(PaymentEvent::Approved(PaymentApproved {
            number: self.number.clone(),
            day: self.view["day"].as_str().unwrap().to_owned(),
            placed_at: self.view["placed_at"].as_str().unwrap().parse().unwrap(),
            lines: lines.collect(),
            takeout: true,
            total: self.view["total"].as_i64().unwrap(),
            currency: Currency::KRW,
            vendor: "simulator".to_owned(),
            charge_id: "ch_1".to_owned(),
        }))
    }

    pub(crate) fn queued(&self) -> Event {
        Event::Ticket(TicketEvent::Queued(TicketQueued { number: self.number.clone(), sequence: 1 }))
    }
}

pub(crate) fn declined() -> Event {
    let reason = "insufficient_funds".to_owned();
    Event::Payment(PaymentEvent::Declined(PaymentDeclined { vendor: "simulator".to_owned(), reason }))
}

pub(crate) fn started() -> Event {
    Event::Ticket(TicketEvent::Started(TicketStarted {}))
}

/// Two large americanos and a latte, to go.
pub(crate) fn wish() -> Value {
    json!({
        "items": [{"menu": "americano", "size": "large", "quantity": 2}, {"menu": "latte", "quantity": 1}],
        "takeout": true,
        "payment": {"vendor": "simulator", "token": "tok_ok"},
    })
}

/// Server-sent events as they arrive.
pub(crate) struct Stream {
    body: Incoming,
    text: String,
}

impl Stream {
    /// The next event's id and data.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        let event = async {
            loop {
                while let Some(end) = self.text.find("\n\n") {
                    let block: String = self.text.drain(..end + 2).collect();
                    let field = |name: &str| {
                        block
                            .lines()
                            .find_map(|line| line.strip_prefix(name))
                            .map(|value| value.trim().to_owned())
                    };
                    let event = field("data:").map(|data| (field("id:").unwrap(), data));
                    if let Some((id, data)) = event {
                        return (id, serde_json::from_str(&data).unwrap());
                    }
                }
                let frame = self.body.frame().await.expect("the stream goes on").unwrap();
                self.text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
            }
        };
        tokio::time::timeout(PATIENCE, event).await.expect("an event")
    }
}
