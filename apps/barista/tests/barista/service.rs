//! A barista service on a free port and a folder of its own, with a payment service beside it.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use cafe_barista::Config;
use cafe_clock::{Clock, Ids};
use cafe_delivery::Place;
use cafe_events::{
    LineId, OrderId, Party, PaymentApproved, PaymentCancelRequested, PaymentEvent, TicketEvent,
};
use cafe_web::StartError;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::payment::Payment;
use crate::samples;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Cafe {
    pub(crate) payment: Payment,
    config: Config,
    address: SocketAddr,
    staff_key: String,
    client: Client<HttpConnector, Full<Bytes>>,
    running: JoinHandle<Result<(), StartError>>,
    stop: CancellationToken,
    ids: Ids,
    data: TempDir,
}

/// An answer: status and JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Cafe {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(crate) async fn open_with(set: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let place = Place::new(data.path());
        place.prepare().unwrap();
        let mut config = Config::new(data.path());
        set(&mut config);
        let payment = Payment::start(&place);
        let (address, running, stop) = start(&config);
        let staff_key = until("the staff key", || async {
            std::fs::read_to_string(data.path().join("staff.key")).ok().filter(|key| !key.is_empty())
        })
        .await;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let staff_key = staff_key.trim().to_owned();
        Self { payment, config, address, staff_key, client, running, stop, ids: Ids::random(), data }
    }

    /// Stops the barista service in order and starts it again, perhaps with other settings.
    pub(crate) async fn restart_with(&mut self, set: impl FnOnce(&mut Config)) {
        self.stop_barista().await;
        set(&mut self.config);
        (self.address, self.running, self.stop) = start(&self.config);
    }

    pub(crate) async fn close(mut self) {
        self.stop_barista().await;
        self.payment.stop().await;
        drop(self.data);
    }

    async fn stop_barista(&mut self) {
        self.stop.cancel();
        (&mut self.running).await.unwrap().unwrap();
    }

    /// A paid order of `lines` lines, in the queue.
    pub(crate) async fn queued(&self, lines: LineId) -> OrderId {
        let order_id = self.approved("main", samples::approved(lines)).await;
        self.until_said(order_id, |event| matches!(event, TicketEvent::Queued(_))).await;
        order_id
    }

    /// Payment says that an order is paid.
    pub(crate) async fn approved(&self, store: &str, approval: PaymentApproved) -> OrderId {
        let order_id = self.new_order();
        self.payment.say(store, vec![(order_id, PaymentEvent::Approved(approval))]).await;
        order_id
    }

    /// Payment says that `count` orders of one line are paid.
    pub(crate) async fn approved_many(&self, count: usize) -> Vec<OrderId> {
        let orders: Vec<OrderId> = (0..count).map(|_| self.new_order()).collect();
        let said =
            orders.iter().map(|order| (*order, PaymentEvent::Approved(samples::approved(1)))).collect();
        self.payment.say("main", said).await;
        orders
    }

    pub(crate) async fn cancel_requested(&self, order_id: OrderId) {
        let wish = PaymentCancelRequested { by: Party::Customer, reason: Some("changed my mind".to_owned()) };
        self.payment.say("main", vec![(order_id, PaymentEvent::CancelRequested(wish))]).await;
    }

    /// Waits until the barista service said something of an order, as payment hears it.
    pub(crate) async fn until_said(
        &self,
        order_id: OrderId,
        what: impl Fn(&TicketEvent) -> bool,
    ) -> TicketEvent {
        until("an event", || async { self.payment.heard_about(order_id).into_iter().find(&what) }).await
    }

    pub(crate) fn new_order(&self) -> OrderId {
        self.ids.uuid(Clock::Real.now())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.send(self.request("GET", path, "")).await).await
    }

    pub(crate) async fn ticket(&self, order_id: OrderId) -> Value {
        let answer = self.get(&format!("/tickets/{order_id}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Staff do something: `start`, `lines/1/ready`, …
    pub(crate) async fn staff(&self, order_id: OrderId, what: &str) -> Answer {
        self.staff_with(order_id, what, "").await
    }

    pub(crate) async fn staff_with(&self, order_id: OrderId, what: &str, body: &str) -> Answer {
        let request = self.request("POST", &format!("/tickets/{order_id}/{what}"), body);
        answer(self.send(request).await).await
    }

    /// Staff do something if the ticket is as they have seen it (`If-Match`).
    pub(crate) async fn staff_if(&self, order_id: OrderId, what: &str, seen: &str) -> Answer {
        let mut request = self.request("POST", &format!("/tickets/{order_id}/{what}"), "");
        request.headers_mut().insert("if-match", seen.parse().unwrap());
        answer(self.send(request).await).await
    }

    pub(crate) async fn without_key(&self, method: &str, path: &str) -> Answer {
        let mut request = self.request(method, path, "");
        request.headers_mut().remove("authorization");
        answer(self.send(request).await).await
    }

    /// The queue as it changes.
    pub(crate) async fn watch(&self, path: &str, last_event_id: Option<&str>) -> Watch {
        let mut request = self.request("GET", path, "");
        request.headers_mut().remove("authorization");
        if let Some(id) = last_event_id {
            request.headers_mut().insert("last-event-id", id.parse().unwrap());
        }
        let response = self.send(request).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Watch { body: response.into_body(), unread: Vec::new() }
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        let body = self.send(self.request("GET", path, "")).await.into_body();
        String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Request<Full<Bytes>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.staff_key));
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        request.body(Full::from(body.to_owned())).unwrap()
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        tokio::time::timeout(PATIENCE, self.client.request(request)).await.unwrap().unwrap()
    }
}

/// An open stream of server-sent events.
pub(crate) struct Watch {
    body: Incoming,
    unread: Vec<u8>,
}

/// One server-sent event.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Watch {
    pub(crate) async fn next(&mut self) -> Event {
        loop {
            while let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.unread.drain(..end + 2).collect();
                if let Some(event) = parse(std::str::from_utf8(&block).unwrap()) {
                    return event;
                }
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("an event in time");
            self.unread.extend(frame.expect("the stream goes on").unwrap().into_data().unwrap());
        }
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
    };
    let data = serde_json::from_str(&field("data")?).unwrap();
    Some(Event { id: field("id"), name: field("event")?, data })
}

/// Waits for `look` to find something.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

fn start(config: &Config) -> (SocketAddr, JoinHandle<Result<(), StartError>>, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let running = cafe_barista::serve(listener, config.clone(), Clock::Real, Ids::random(), stop.clone());
    (address, tokio::spawn(running), stop)
}

async fn answer(response: Response<Incoming>) -> Answer {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into()));
    Answer { status, body }
}
