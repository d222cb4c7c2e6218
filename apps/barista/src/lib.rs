//! The barista service: paid orders become tickets, and drinks are made first in, first out.
//!
//! `ticket.rs` and `queue.rs` are the rules, `reactions.rs` is what is done about payment's events, `store.rs` has every SQL
//! statement, `http/` the endpoints, `timers.rs` what happens by itself, `robot.rs` a barista for cafes that have none.

mod config;
mod domain;
mod elsewhere;
mod fact;
mod feed;
mod http;
mod queue;
mod reactions;
mod robot;
mod store;
mod ticket;
mod timers;

use std::sync::Arc;

use cafe_clock::{Clock, Ids};
use cafe_delivery::{Desk, Hooks, Place};
use cafe_web::{Listeners, StaffAccess, StaffKey, StartError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use config::{Config, RobotConfig};
pub use domain::{Answer, Barista, Changed, Loaded, Refused, Request};
pub use fact::fact;
pub use http::last_seen;
pub use queue::{Queue, Unmakeable};
pub use robot::Shift;
pub use store::{Page, page, ticket};
pub use ticket::{Command, LineState, Lines, Refusal, Status, Ticket, TicketLine, Transition};

use feed::Feed;
use http::App;

/// Runs the barista service until `stop`; when this returns, all that it answered is on disk.
///
/// # Errors
/// When it cannot start, or had to end; the error says why and what would be right.
pub async fn run(config: Config, clock: Clock, ids: Ids, stop: CancellationToken) -> Result<(), StartError> {
    let listeners = cafe_web::listen(config.listen)?;
    serve(listeners, config, clock, ids, stop).await
}

/// As [`run`], on sockets that are already bound.
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
    let staff =
        StaffAccess::new(StaffKey::load_or_create(&config.data, &ids)?, cafe_events::Source::Barista.name());
    let feed = Feed::new();
    let told = feed.clone();
    let on_commit = move |changed: Changed| {
        timers::count_change(&changed);
        told.push(changed);
    };
    let (seen, unread) = elsewhere::channel(feed.clone());
    let hooks = Hooks::new(on_commit).elsewhere(move |what| seen.take(what));
    let desk = cafe_delivery::start(Barista, &place, clock.clone(), &ids, hooks, stop.clone())?;
    tokio::spawn(unread.show(desk.clone(), stop.clone()));

    let tasks = start_tasks(&config, &desk, &feed, &clock, &stop);
    let app = App {
        desk: desk.clone(),
        clock: clock.clone(),
        feed,
        epoch: ids.uuid(clock.now()).simple().to_string().into(),
        staff,
        store: config.store.into(),
        seats: Arc::new(Semaphore::new(http::SEATS)),
        stop: stop.clone(),
    };
    let served = cafe_web::serve(listeners, http::router(app), ids, stop.clone()).await;
    stop.cancel();
    tasks.wait().await;
    desk.stopped().await.map_err(StartError::Ended)?;
    Ok(served?)
}

/// The service's `OpenAPI` document, as it answers it at `/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    cafe_web::documented(http::document())
}

fn start_tasks(
    config: &Config,
    desk: &Desk<Barista>,
    feed: &Feed,
    clock: &Clock,
    stop: &CancellationToken,
) -> TaskTracker {
    let tasks = TaskTracker::new();
    tasks.spawn(timers::count_queue(desk.clone(), clock.clone(), stop.clone()));
    for (patience, command) in [
        (config.picked_up_after, Command::PickUp),
        (config.uncollected_after, Command::GiveUp(config.uncollected_after)),
    ] {
        let waiting = timers::once_ready_for(patience, command, desk.clone(), clock.clone(), stop.clone());
        tasks.spawn(once_leading(desk.clone(), stop.clone(), waiting));
    }
    if let Some(robot) = config.robot {
        let robot = robot::run(robot, desk.clone(), feed.clone(), stop.clone());
        tasks.spawn(once_leading(desk.clone(), stop.clone(), robot));
    } else if !config.two_touch {
        let starting = timers::start_next(desk.clone(), feed.clone(), stop.clone());
        tasks.spawn(once_leading(desk.clone(), stop.clone(), starting));
    }
    tasks.close();
    tasks
}

/// Of several replicas one does what happens by itself.
async fn once_leading(desk: Desk<Barista>, stop: CancellationToken, work: impl Future<Output = ()>) {
    if stop.run_until_cancelled(desk.leads()).await.is_some() {
        work.await;
    }
}
