//! The payment service: it hears orders, asks a payment vendor outside of every transaction, says what came of it, and gives
//! money back.
//!
//! `payment.rs` and `payment/` are the rules, `reactions.rs` is what is done about other services' events, `domain.rs` puts
//! both into turns, `store.rs` has every SQL statement, `worker.rs` asks and looks up, `vendor/` are those who are asked,
//! `http/` the endpoints.

mod config;
pub mod domain;
mod http;
pub mod payment;
mod reactions;
pub mod store;
pub mod timer;
pub mod vendor;
pub mod worker;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use cafe_clock::{Clock, Ids, from_ms};
use cafe_delivery::{Place, head};
use cafe_events::Source;
use cafe_store::Connection;
use cafe_web::{StaffKey, StartError};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

pub use config::Config;
pub use store::page;

use domain::Cashier;
use http::App;
use timer::Timer;
use vendor::simulator::Simulator;
use vendor::{Vendor, Vendors};
use worker::gate::Gate;

/// How long an orderly end waits for vendors' answers; what is still open then is looked up at the next start.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Runs the payment service until `stop`; when this returns, all that it answered is on disk.
///
/// # Errors
/// When it cannot start, or had to end; the error says why and what would be right.
pub async fn run(config: Config, clock: Clock, ids: Ids, stop: CancellationToken) -> Result<(), StartError> {
    let listener = cafe_web::bind(config.listen)?;
    serve(listener, config, clock, ids, stop).await
}

/// As [`run`], on a socket that is already bound.
///
/// # Errors
/// As [`run`].
pub async fn serve(
    listener: TcpListener,
    config: Config,
    clock: Clock,
    ids: Ids,
    stop: CancellationToken,
) -> Result<(), StartError> {
    config.check().map_err(StartError::Setting)?;
    cafe_web::install_metrics();
    let place = Place::new(&config.data);
    place.prepare().map_err(cafe_delivery::StartError::from)?;
    let staff = StaffKey::load_or_create(&config.data, &ids)?;

    let gate = Arc::new(Gate::default());
    let cashier = Cashier { gate: Arc::clone(&gate), restored_at: restored_at(&place)? };
    let (mailbox, inbox) = worker::mailbox(Arc::clone(&gate));
    let effects = mailbox.clone();
    let on_commit = move |effect| effects.take(effect);
    let desk = cafe_delivery::start(cashier, &place, clock.clone(), &ids, on_commit, stop.clone())?;
    // The lock is ours: from here on nothing is asked that this process does not know of, and the simulator has one clerk.
    let timer = Timer::new(clock);
    let simulator = Simulator::open(&config.data, timer.clone(), config.simulator_latency)
        .map_err(cafe_delivery::StartError::from)?;
    let vendors = Vendors { simulator: Vendor::Simulator(simulator) };

    let tasks =
        worker::start(desk.clone(), vendors.clone(), timer, ids.clone(), &mailbox, inbox, stop.clone());
    let app = App { desk: desk.clone(), vendors, staff };
    let served = cafe_web::serve(listener, http::router(app), ids, stop.clone()).await;
    stop.cancel();
    gate.stop();
    tasks.close();
    // Whoever is still asking is dropped with the runtime; its attempt is on disk.
    let _ = tokio::time::timeout(LAST_ANSWERS, tasks.wait()).await;
    desk.stopped().await.map_err(StartError::Ended)?;
    Ok(served?)
}

/// The service's `OpenAPI` document, as it answers it at `/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    cafe_web::documented(http::document())
}

/// When the database was restored from an older copy, if there is one and it was.
fn restored_at(place: &Place) -> Result<Option<Timestamp>, StartError> {
    let file = place.database(Source::Payment);
    if !file.exists() {
        return Ok(None);
    }
    let restored_at_ms =
        Connection::open_reader(&file).and_then(|mut db| Ok(head(&mut db)?.restored_at_ms))?;
    Ok(restored_at_ms.map(from_ms))
}
