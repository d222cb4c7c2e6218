//! A payment service on a free port and a folder of its own, with what an order and a barista service say beside it. Time
//! stands still unless a test lets it pass.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use cafe_clock::{Clock, Ids, from_ms};
use cafe_delivery::{Outbox, Place, head, read_after};
use cafe_events::{
    Event, LineId, OrderCancelRequested, OrderEvent, OrderId, OrderPlaced, Party, PaymentEvent, Record, Said,
    Source, TicketCancelRefused, TicketCancelled, TicketEvent, TicketRejected,
};
use cafe_payment::Config;
use cafe_payment::vendor::simulator::record::{ChargeOnRecord, RefundOfCharge, page_charges, page_refunds};
use cafe_payment::vendor::simulator::{FILE, outage};
use cafe_store::Connection;
use cafe_web::StartError;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::samples;

/// How long a test waits for what must come, in real time.
const PATIENCE: Duration = Duration::from_secs(20);
/// How much time passes, when it is let pass, per look.
const STEP: Duration = Duration::from_millis(100);
/// Real time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

pub(crate) struct Cafe {
    pub(crate) clock: Clock,
    pub(crate) data: TempDir,
    place: Place,
    ids: Ids,
    orders: Mutex<Outbox>,
    tickets: Mutex<Outbox>,
    versions: Mutex<HashMap<(Source, OrderId), u32>>,
    client: Client<HttpConnector, Full<Bytes>>,
    running: Option<Running>,
}

struct Running {
    address: SocketAddr,
    ended: JoinHandle<Result<(), StartError>>,
    stop: CancellationToken,
}

/// An answer: status and JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Cafe {
    pub(crate) async fn open() -> Self {
        let cafe = Self::closed();
        cafe.started().await
    }

    /// Everything but the payment service.
    pub(crate) fn closed() -> Self {
        let data = tempfile::tempdir().unwrap();
        let place = Place::new(data.path());
        let (clock, ids) = (Clock::simulated(from_ms(1_800_000_000_000)), Ids::random());
        let orders = Outbox::open(&place, Source::Order, &clock, &ids).unwrap();
        let tickets = Outbox::open(&place, Source::Barista, &clock, &ids).unwrap();
        Self {
            clock,
            data,
            place,
            ids,
            orders: Mutex::new(orders),
            tickets: Mutex::new(tickets),
            versions: Mutex::default(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            running: None,
        }
    }

    pub(crate) async fn started(mut self) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let config = Config::new(self.data.path());
        let service =
            cafe_payment::serve(listener, config, self.clock.clone(), self.ids.clone(), stop.clone());
        self.running = Some(Running { address, ended: tokio::spawn(service), stop });
        self.until("it is ready", || async { (self.get("/health/live").await.status == 200).then_some(()) })
            .await;
        self
    }

    pub(crate) async fn restarted(mut self) -> Self {
        self.stop().await;
        self.started().await
    }

    pub(crate) async fn close(mut self) {
        self.stop().await;
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop.cancel();
            running.ended.await.unwrap().unwrap();
        }
    }

    /// An order is placed, paid with this token.
    pub(crate) fn place(&self, token: &str) -> OrderId {
        self.place_with(token, |_| {})
    }

    pub(crate) fn place_with(&self, token: &str, change: impl FnOnce(&mut OrderPlaced)) -> OrderId {
        let mut order = samples::order(token, self.clock.now());
        change(&mut order);
        let order_id = self.new_order();
        self.say(order_id, &Event::Order(OrderEvent::Placed(order)));
        order_id
    }

    /// An order is placed in the course of a trace.
    pub(crate) fn place_traced(&self, token: &str, traceparent: &str) -> OrderId {
        let order_id = self.new_order();
        let placed = OrderEvent::Placed(samples::order(token, self.clock.now()));
        self.say_traced(order_id, placed, traceparent);
        order_id
    }

    /// The customer wants it undone, in the course of another trace.
    pub(crate) fn cancel_traced(&self, order_id: OrderId, traceparent: &str) {
        let wish = OrderCancelRequested { by: Party::Customer, reason: None };
        self.say_traced(order_id, OrderEvent::CancelRequested(wish), traceparent);
    }

    fn say_traced(&self, order_id: OrderId, event: OrderEvent, traceparent: &str) {
        let record = self.record(order_id, &Event::Order(event));
        let record = Record { traceparent: Some(traceparent.to_owned()), ..record };
        self.orders.lock().unwrap().say(&[record]).unwrap();
    }

    /// Many orders at once.
    pub(crate) fn place_many(&self, token: &str, count: usize) -> Vec<OrderId> {
        let orders: Vec<OrderId> = (0..count).map(|_| self.new_order()).collect();
        let placed = Event::Order(OrderEvent::Placed(samples::order(token, self.clock.now())));
        let records: Vec<_> = orders.iter().map(|order_id| self.record(*order_id, &placed)).collect();
        self.orders.lock().unwrap().say(&records).unwrap();
        orders
    }

    /// The customer wants it undone.
    pub(crate) fn cancel(&self, order_id: OrderId) {
        let wish = OrderCancelRequested { by: Party::Customer, reason: Some("too late".to_owned()) };
        self.say(order_id, &Event::Order(OrderEvent::CancelRequested(wish)));
    }

    pub(crate) fn ticket_cancelled(&self, order_id: OrderId) {
        let cancelled = TicketCancelled { by: Party::Customer, reason: Some("too late".to_owned()) };
        self.say(order_id, &Event::Ticket(TicketEvent::Cancelled(cancelled)));
    }

    pub(crate) fn ticket_rejected(&self, order_id: OrderId, lines: &[LineId], all: bool) {
        let rejected = TicketRejected { lines: lines.to_vec(), all, reason: Some("no milk".to_owned()) };
        self.say(order_id, &Event::Ticket(TicketEvent::Rejected(rejected)));
    }

    pub(crate) fn cancel_refused(&self, order_id: OrderId, by: Party) {
        let refused = TicketCancelRefused { by, reason: "making has started".to_owned() };
        self.say(order_id, &Event::Ticket(TicketEvent::CancelRefused(refused)));
    }

    pub(crate) fn new_order(&self) -> OrderId {
        self.ids.uuid(self.clock.now())
    }

    fn say(&self, order_id: OrderId, event: &Event) {
        let outbox = if matches!(event, Event::Ticket(_)) { &self.tickets } else { &self.orders };
        outbox.lock().unwrap().say(&[self.record(order_id, event)]).unwrap();
    }

    fn record(&self, order_id: OrderId, event: &Event) -> Record {
        let source = if matches!(event, Event::Ticket(_)) { Source::Barista } else { Source::Order };
        let mut versions = self.versions.lock().unwrap();
        let version = versions.entry((source, order_id)).or_default();
        *version += 1;
        Record::write(event, order_id, "main", *version, self.clock.now(), None)
    }

    /// The records in which the service spoke about an order.
    pub(crate) fn records(&self, order_id: OrderId) -> Vec<Record> {
        let Ok(mut db) = Connection::open_peer(&self.place.file(Source::Payment)) else {
            return Vec::new();
        };
        let records = read_after(&mut db, 0, 100_000).unwrap_or_default();
        let id = order_id.to_string();
        records.into_iter().filter(|record| record.order_id == id).collect()
    }

    /// What the service has said about an order; its versions run from 1 without a gap.
    pub(crate) fn said(&self, order_id: OrderId) -> Vec<PaymentEvent> {
        let about = self.records(order_id);
        let said: Vec<_> = about.iter().map(|record| record.read(Source::Payment).unwrap()).collect();
        for (version, heard) in (1..).zip(&said) {
            assert_eq!(heard.version, version, "versions without a gap");
        }
        said.into_iter().map(|heard| known(heard.said)).collect()
    }

    /// How much the service has said about all orders together.
    pub(crate) fn count_said(&self) -> usize {
        let mut db = Connection::open_peer(&self.place.file(Source::Payment)).unwrap();
        head(&mut db).unwrap().last as usize
    }

    /// Waits until the service said something of an order. No time passes.
    pub(crate) async fn until_said(
        &self,
        order_id: OrderId,
        what: impl Fn(&PaymentEvent) -> bool,
    ) -> PaymentEvent {
        self.until("an event", || async { self.said(order_id).into_iter().find(&what) }).await
    }

    /// As [`Self::until_said`], while time passes.
    pub(crate) async fn in_time_said(
        &self,
        order_id: OrderId,
        what: impl Fn(&PaymentEvent) -> bool,
    ) -> PaymentEvent {
        self.in_time("an event", || async { self.said(order_id).into_iter().find(&what) }).await
    }

    /// Waits until the payment of an order looks like this. No time passes.
    pub(crate) async fn until_seen(&self, order_id: OrderId, what: impl Fn(&Value) -> bool) -> Value {
        self.until("a payment", || async { self.seen(order_id, &what).await }).await
    }

    /// As [`Self::until_seen`], while time passes.
    pub(crate) async fn in_time_seen(&self, order_id: OrderId, what: impl Fn(&Value) -> bool) -> Value {
        self.in_time("a payment", || async { self.seen(order_id, &what).await }).await
    }

    async fn seen(&self, order_id: OrderId, what: impl Fn(&Value) -> bool) -> Option<Value> {
        let answer = self.get(&format!("/payments/{order_id}")).await;
        (answer.status == 200 && what(&answer.body)).then_some(answer.body)
    }

    pub(crate) async fn payment(&self, order_id: OrderId) -> Value {
        let answer = self.get(&format!("/payments/{order_id}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Waits for `look` to find something. No time passes.
    pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
        &self,
        what: &str,
        look: impl FnMut() -> F,
    ) -> T {
        self.look_for(what, Duration::ZERO, look).await
    }

    /// Waits for `look` to find something, while time passes.
    pub(crate) async fn in_time<T, F: Future<Output = Option<T>>>(
        &self,
        what: &str,
        look: impl FnMut() -> F,
    ) -> T {
        self.look_for(what, STEP, look).await
    }

    async fn look_for<T, F: Future<Output = Option<T>>>(
        &self,
        what: &str,
        step: Duration,
        mut look: impl FnMut() -> F,
    ) -> T {
        let looking = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                self.clock.advance(step);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited too long for {what}"))
    }

    /// The vendor's own record of charges and refusals about an order.
    pub(crate) fn charges(&self, order_id: OrderId) -> Vec<ChargeOnRecord> {
        self.all_charges().into_iter().filter(|charge| charge.order_id == order_id).collect()
    }

    /// The vendor's own record of charges and refusals, in order of the orders' ids.
    pub(crate) fn all_charges(&self) -> Vec<ChargeOnRecord> {
        let Ok(mut db) = Connection::open_peer(&self.data.path().join(FILE)) else { return Vec::new() };
        page_charges(&mut db, "", 100_000).unwrap_or_default()
    }

    /// The vendor's own record of what it gave back of an order.
    pub(crate) fn refunds(&self, order_id: OrderId) -> Vec<RefundOfCharge> {
        let Ok(mut db) = Connection::open_peer(&self.data.path().join(FILE)) else { return Vec::new() };
        let refunds = page_refunds(&mut db, "", 100_000).unwrap_or_default();
        refunds.into_iter().filter(|refund| refund.key.starts_with(&order_id.to_string())).collect()
    }

    /// The traces under which the vendor was first asked for the charges and the refunds of an order.
    pub(crate) fn vendor_traces(&self, order_id: OrderId) -> Vec<String> {
        const TRACES: &str = "SELECT traceparent, 1 AS turn FROM charges WHERE order_id = $1 \
             UNION ALL SELECT traceparent, 2 FROM refunds WHERE key LIKE $1 || '%' ORDER BY turn";
        let mut db = Connection::open_peer(&self.data.path().join(FILE)).unwrap();
        db.query(TRACES, &[(&order_id.to_string()).into()], |row| row.text(0)).unwrap()
    }

    /// Somebody gives all of an order's money back in the vendor's own console; answers how to undo that.
    pub(crate) fn refunded_elsewhere(&self, order_id: OrderId) -> impl FnOnce() {
        let file = self.data.path().join(FILE);
        let charge_id = &self.charges(order_id)[0].charge_id;
        let mut db = Connection::open_as_it_is(&file).unwrap();
        let add = "INSERT INTO refunds (charge_id, key, amount, at_ms)";
        db.batch(&format!("{add} VALUES ('{charge_id}', 'elsewhere', {}, 0)", samples::TOTAL)).unwrap();
        move || db.batch("DELETE FROM refunds WHERE key = 'elsewhere'").unwrap()
    }

    /// The vendor fails like this for everybody, or works again.
    pub(crate) fn outage(&self, word: &str) {
        std::fs::write(self.data.path().join(outage::FILE), word).unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", true).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, body, true).await
    }

    pub(crate) async fn refund(&self, order_id: OrderId, body: &str) -> Answer {
        self.post(&format!("/payments/{order_id}/refund"), body).await
    }

    pub(crate) async fn without_key(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, path, body, false).await
    }

    async fn send(&self, method: &str, path: &str, body: &str, as_staff: bool) -> Answer {
        let address = self.running.as_ref().expect("it runs").address;
        let mut request = Request::builder().method(method).uri(format!("http://{address}{path}"));
        if as_staff {
            request = request.header("authorization", format!("Bearer {}", staff_key(self.data.path())));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Full::from(body.to_owned())).unwrap();
        let response = tokio::time::timeout(PATIENCE, self.client.request(request)).await.unwrap().unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = || Value::String(String::from_utf8_lossy(&body).into());
        Answer { status, body: serde_json::from_slice(&body).unwrap_or_else(|_| text()) }
    }
}

fn staff_key(data: &Path) -> String {
    std::fs::read_to_string(data.join("staff.key")).unwrap_or_default().trim().to_owned()
}

fn known(said: Said) -> PaymentEvent {
    match said {
        Said::Known(Event::Payment(event)) => event,
        other => panic!("not a payment's event: {other:?}"),
    }
}
