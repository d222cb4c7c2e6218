//! What happens by itself: the next ticket starts, tickets that were ready for long, and the figures of the queue.

use std::time::Duration;

use cafe_clock::{Clock, before, since};
use cafe_delivery::Desk;
use cafe_events::OrderId;
use cafe_store::Error;
use futures_util::future::join_all;
use jiff::Timestamp;
use metrics::{counter, gauge, histogram};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::domain::{Barista, Changed, Request};
use crate::feed::Feed;
use crate::store;
use crate::ticket::{Command, Status};

/// Tickets that something is done with in one turn.
const DONE_AT_ONCE: u32 = 500;
/// The longest time between two looks for tickets that were ready for long.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The shortest.
const LOOK_EVERY_AT_LEAST: Duration = Duration::from_millis(10);
/// How often the queue is counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// Does this with tickets that were ready for as long as `patience`, until `stop`.
pub(crate) async fn once_ready_for(
    patience: Duration,
    command: Command,
    desk: Desk<Barista>,
    clock: Clock,
    stop: CancellationToken,
) {
    let every = (patience / 4).clamp(LOOK_EVERY_AT_LEAST, LOOK_EVERY);
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        let some = || once_ready_by(&desk, before(clock.now(), patience), &command);
        while stop.run_until_cancelled(some()).await == Some(DONE_AT_ONCE) {}
    }
}

/// Answers how many there were.
async fn once_ready_by(desk: &Desk<Barista>, ready_by: Timestamp, command: &Command) -> u32 {
    let overdue = desk.readers().read(move |db| store::ready_since(db, ready_by, DONE_AT_ONCE)).await;
    let overdue = overdue.unwrap_or_else(|error| {
        warn!(%error, "tickets that were ready for long cannot be looked up");
        Vec::new()
    });
    let ask = |order_id: &OrderId| {
        desk.ask(Request { order_id: *order_id, command: command.clone(), seen: None }, None)
    };
    let answers = join_all(overdue.iter().map(ask)).await;
    // Those that were refused were picked up meanwhile; those that failed are found again the next time.
    answers.iter().filter(|answer| matches!(answer, Ok(Ok(_)))).count() as u32
}

/// Starts the next ticket of a store when one has been finished there and none is being made, until `stop`. A start that is
/// missed, because the service was ended or too much happened at once, is made up for by the next ticket.
pub(crate) async fn start_next(desk: Desk<Barista>, feed: Feed, stop: CancellationToken) {
    let mut seen = feed.last();
    while stop.run_until_cancelled(feed.changed_after(seen)).await.is_some() {
        let finished;
        (finished, seen) = feed.finished_after(seen);
        for store in finished {
            if let Err(error) = start_first(&desk, store).await {
                warn!(%error, "the next ticket is not started");
            }
        }
    }
}

async fn start_first(desk: &Desk<Barista>, of_store: String) -> Result<(), Error> {
    let looked_at = desk.readers().read(move |db| {
        let counts = store::open_in_store(db, &of_store)?;
        Ok((counts, store::preparing(db, &of_store, 1)?))
    });
    let (counts, first) = looked_at.await?;
    let is_making = counts.iter().any(|(status, _)| status == Status::Making.name());
    if let Some((order_id, ticket)) = first.first().filter(|_| !is_making) {
        let start = Request { order_id: *order_id, command: Command::Start, seen: Some(ticket.version) };
        // If it has changed since, somebody was faster.
        let _ = desk.ask(start, None).await;
    }
    Ok(())
}

/// Counts the queue from time to time, until `stop`.
pub(crate) async fn count_queue(desk: Desk<Barista>, clock: Clock, stop: CancellationToken) {
    loop {
        match desk.readers().read(store::open_counts).await {
            Ok(counts) => show_queue(&counts, &clock),
            Err(Error::Busy(_)) => {}
            Err(error) => warn!(%error, "the queue cannot be counted"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(COUNT_EVERY)).await.is_none() {
            return;
        }
    }
}

fn show_queue(counts: &[store::OpenCount], clock: &Clock) {
    for status in [Status::Queued, Status::Making, Status::Ready] {
        let count = counts.iter().find(|count| count.status == status.name());
        let oldest = count.map_or(Duration::ZERO, |count| since(clock.now(), count.oldest_queued_at));
        gauge!("cafe_tickets_open", "status" => status.name())
            .set(count.map_or(0, |count| count.tickets) as f64);
        gauge!("cafe_tickets_oldest_seconds", "status" => status.name()).set(oldest.as_secs_f64());
    }
}

/// Counts a change that is on disk.
pub(crate) fn count_change(changed: &Changed) {
    let ticket = &changed.ticket;
    match (changed.before, ticket.status) {
        (None, _) => counter!("cafe_tickets_queued_total").increment(1),
        (Some(before), Status::Ready) if before != Status::Ready => {
            counter!("cafe_tickets_made_total").increment(1);
            if let (Some(started_at), Some(ready_at)) = (ticket.started_at, ticket.ready_at) {
                histogram!("cafe_ticket_making_seconds").record(since(ready_at, started_at).as_secs_f64());
            }
        }
        (Some(before), after) if before != after && !after.is_open() => {
            counter!("cafe_tickets_closed_total", "status" => after.name()).increment(1);
        }
        _ => {}
    }
}
