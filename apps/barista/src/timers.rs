//! What happens by itself: tickets that nobody comes for, and the figures of the queue.

use std::time::Duration;

use cafe_clock::{Clock, before, since};
use cafe_delivery::Desk;
use cafe_store::Error;
use futures_util::future::join_all;
use metrics::{counter, gauge, histogram};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::domain::{Barista, Changed, Request};
use crate::store;
use crate::ticket::{Command, Status};

/// Tickets that are given up in one turn.
const GIVEN_UP_AT_ONCE: u32 = 500;
/// The longest time between two looks for tickets to give up.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The shortest.
const LOOK_EVERY_AT_LEAST: Duration = Duration::from_millis(10);
/// How often the queue is counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// Gives up tickets that were ready for as long as `patience`, until `stop`.
pub(crate) async fn give_up(desk: Desk<Barista>, clock: Clock, patience: Duration, stop: CancellationToken) {
    let every = (patience / 4).clamp(LOOK_EVERY_AT_LEAST, LOOK_EVERY);
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        while stop.run_until_cancelled(give_up_some(&desk, &clock, patience)).await == Some(GIVEN_UP_AT_ONCE)
        {
        }
    }
}

/// Answers how many there were.
async fn give_up_some(desk: &Desk<Barista>, clock: &Clock, patience: Duration) -> u32 {
    let ready_by = before(clock.now(), patience);
    let overdue = desk.readers().read(move |db| store::ready_since(db, ready_by, GIVEN_UP_AT_ONCE)).await;
    let overdue = overdue.unwrap_or_else(|error| {
        warn!(%error, "tickets that nobody came for cannot be looked up");
        Vec::new()
    });
    let asked = overdue.iter().map(|order_id| {
        desk.ask(Request { order_id: *order_id, command: Command::GiveUp(patience), seen: None }, None)
    });
    let answers = join_all(asked).await;
    // Those that were refused were picked up meanwhile; those that failed are found again the next time.
    answers.iter().filter(|answer| matches!(answer, Ok(Ok(_)))).count() as u32
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
