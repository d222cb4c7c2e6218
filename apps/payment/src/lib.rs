//! The payment service: it hears orders, asks a payment vendor outside of every transaction, says what came of it, and gives
//! money back.
//!
//! `payment.rs` and `payment/` are the rules, `reactions.rs` is what is done about other services' events, `domain.rs` puts
//! both into turns, `store.rs` has every SQL statement, `worker.rs` asks and looks up, `vendor/` are those who are asked,
//! `http/` the endpoints.

mod config;
pub mod domain;
mod fact;
mod http;
pub mod payment;
mod reactions;
pub mod store;
pub mod timer;
pub mod vendor;
pub mod worker;

use std::sync::Arc;
use std::time::Duration;

use cafe_clock::{Clock, Ids};
use cafe_delivery::{Desk, Hooks, Place};
use cafe_events::Source;
use cafe_web::{Listeners, StaffAccess, StaffKey, StartError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use config::Config;
pub use fact::fact;
pub use http::attempt_of;
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
    let listeners = cafe_web::listen(config.listen)?;
    serve(listeners, config, clock, ids, stop).await
}

/// As [`run`], on sockets that are already bound.
///
/// # Errors
/// As [`run`].
pub async fn serve(
    listeners: impl Into<Listeners>,
    config: Config,
    clock: Clock,
    ids: Ids,
    stop: CancellationToken,
) -> Result<(), StartError> {
    config.check().map_err(StartError::Setting)?;
    cafe_web::install_metrics();
    let place = Place::on(&config.data, &config.rungs)
        .map_err(|error| StartError::Setting(format!("database: {error}")))?;
    place.prepare().map_err(cafe_delivery::StartError::from)?;
    let staff = StaffAccess::new(StaffKey::load_or_create(&config.data, &ids)?, Source::Payment.name());

    let gate = Arc::new(Gate::default());
    let cashier = Cashier {
        gate: Arc::clone(&gate),
        restored_at: cafe_delivery::restored_at(&place, Source::Payment)?,
    };
    let (mailbox, inbox) = worker::mailbox(Arc::clone(&gate));
    let effects = mailbox.clone();
    let on_commit = move |effect| effects.take(effect);
    let desk =
        cafe_delivery::start(cashier, &place, clock.clone(), &ids, Hooks::new(on_commit), stop.clone())?;
    let simulator = Simulator::open(&config.data, Timer::new(clock.clone()), config.simulator_latency)
        .map_err(cafe_delivery::StartError::from)?;
    let vendors = Vendors { simulator: Vendor::Simulator(simulator) };

    let tasks = TaskTracker::new();
    let working =
        Working { vendors: vendors.clone(), clock, ids: ids.clone(), mailbox, inbox, stop: stop.clone() };
    tasks.spawn(working.once_leading(desk.clone(), tasks.clone()));
    let app = App { desk: desk.clone(), vendors, staff };
    let served = cafe_web::serve(listeners, http::router(app), ids, stop.clone()).await;
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

/// What the worker needs once it works.
struct Working {
    vendors: Vendors,
    clock: Clock,
    ids: Ids,
    mailbox: worker::Mailbox,
    inbox: worker::Inbox,
    stop: CancellationToken,
}

impl Working {
    /// Only the process that leads asks vendors. What it did not ask itself was asked before it began to lead: time is measured
    /// from then on.
    async fn once_leading(self, desk: Desk<Cashier>, tasks: TaskTracker) {
        let Self { vendors, clock, ids, mailbox, inbox, stop } = self;
        if stop.run_until_cancelled(desk.leads()).await.is_some() {
            worker::start(desk, vendors, Timer::new(clock), ids, &mailbox, inbox, stop, tasks);
        }
    }
}
