//! A barista for cafes that have none, and customers who come for their drinks.
//!
//! It sees the queue in the rows and acts through the desk, as staff do, so it may be killed at any moment: whoever comes
//! next goes on from the rows.

mod shift;

use std::collections::BTreeMap;
use std::time::Duration;

use cafe_delivery::Desk;
use cafe_events::OrderId;
use cafe_store::Error;
use futures_util::future::join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::RobotConfig;
use crate::domain::{Answer, Barista, Request};
use crate::feed::Feed;
use crate::store::{self, Page};
use crate::ticket::Command;
pub use shift::Shift;

/// Tickets of a store that are in the schedule at once; the others wait in the rows.
const SCHEDULED_LIMIT: usize = 500;
/// Commands that are handed in at once.
const HANDED_IN_LIMIT: usize = 1_000;
/// How often the whole queue is looked at again, for what others did: a recall, a start, another store's first order.
const LOOK_AROUND: Duration = Duration::from_secs(1);
/// The shortest pause, so that a fast robot does much per turn rather than many turns.
const PAUSE: Duration = Duration::from_millis(2);
/// The pause after something failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Makes what is queued, until `stop`.
pub(crate) async fn run(config: RobotConfig, desk: Desk<Barista>, feed: Feed, stop: CancellationToken) {
    let began = Instant::now();
    let robot = Robot { config, desk, feed, began, stores: BTreeMap::new(), look_around_at: began };
    stop.run_until_cancelled_owned(robot.work()).await;
}

struct Robot {
    config: RobotConfig,
    desk: Desk<Barista>,
    feed: Feed,
    began: Instant,
    stores: BTreeMap<String, Counter>,
    look_around_at: Instant,
}

/// One store as the robot knows it.
struct Counter {
    shift: Shift,
    /// The last place in the queue that was looked at.
    seen: i64,
}

impl Robot {
    async fn work(mut self) {
        loop {
            let news = self.feed.last();
            let acted = match self.look().await {
                Ok(()) => self.act().await,
                Err(error) => {
                    warn!(%error, "the robot cannot see the queue");
                    false
                }
            };
            if acted {
                self.wait(news).await;
            } else {
                tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            }
        }
    }

    /// Takes note of tickets that joined the queue, and from time to time of all that are in it.
    async fn look(&mut self) -> Result<(), Error> {
        let around = Instant::now() >= self.look_around_at;
        if around {
            self.look_around_at = Instant::now() + LOOK_AROUND;
        }
        let scope = |counter: &Counter| {
            if around {
                (0, SCHEDULED_LIMIT)
            } else {
                (counter.seen, SCHEDULED_LIMIT.saturating_sub(counter.shift.scheduled()))
            }
        };
        let known: BTreeMap<String, (i64, usize)> =
            self.stores.iter().map(|(store, counter)| (store.clone(), scope(counter))).collect();
        for (store, page) in self.desk.readers().read(move |db| pages(db, &known)).await? {
            self.see(store, &page);
        }
        Ok(())
    }

    fn see(&mut self, store: String, page: &Page) {
        let now = self.began.elapsed();
        let config = self.config;
        let counter =
            self.stores.entry(store).or_insert_with(|| Counter { shift: Shift::new(config), seen: 0 });
        for (order_id, ticket) in page {
            counter.shift.see(*order_id, ticket, now);
            counter.seen = counter.seen.max(ticket.sequence);
        }
    }

    /// Does everything that is due. False if it should be tried again a little later.
    async fn act(&mut self) -> bool {
        let now = self.began.elapsed();
        let due: Vec<(String, OrderId, Command)> = self
            .stores
            .iter()
            .flat_map(|(store, counter)| {
                counter
                    .shift
                    .due(now)
                    .into_iter()
                    .map(|(order_id, command)| (store.clone(), order_id, command))
            })
            .take(HANDED_IN_LIMIT)
            .collect();
        let asked = due.into_iter().map(|(store, order_id, command)| {
            let answer = self.desk.ask(Request { order_id, command, seen: None }, None);
            async move { (store, order_id, answer.await) }
        });
        let mut unanswered = Vec::new();
        for (store, order_id, answer) in join_all(asked).await {
            match answer {
                Ok(answer) => self.learn(&store, order_id, answer),
                Err(error) => unanswered.push(error),
            }
        }
        if let Some(error) = unanswered.first() {
            warn!(%error, commands = unanswered.len(), "the robot was not heard");
        }
        unanswered.is_empty()
    }

    /// A ticket that was refused is in other hands; the next look around tells.
    fn learn(&mut self, store: &str, order_id: OrderId, answer: Answer) {
        let now = self.began.elapsed();
        let Some(counter) = self.stores.get_mut(store) else { return };
        match answer {
            Ok(ticket) => counter.shift.see(order_id, &ticket, now),
            Err(_) => counter.shift.forget(order_id),
        }
    }

    /// Until something is due, the queue has changed, or it is time to look around.
    async fn wait(&self, news: u64) {
        tokio::time::sleep(PAUSE).await;
        let next_at = self.stores.values().filter_map(|counter| counter.shift.next_at()).min();
        let due_at =
            next_at.map_or(self.look_around_at, |next_at| self.look_around_at.min(self.began + next_at));
        tokio::select! {
            () = tokio::time::sleep_until(due_at) => {}
            () = self.feed.changed_after(news) => {}
        }
    }
}

/// The open tickets of every store, from after the place and up to the number that `known` says.
fn pages(
    db: &mut cafe_store::Connection,
    known: &BTreeMap<String, (i64, usize)>,
) -> Result<Vec<(String, Page)>, Error> {
    let stores = store::stores(db)?;
    stores
        .into_iter()
        .map(|store| {
            let (after, limit) = known.get(&store).copied().unwrap_or((0, SCHEDULED_LIMIT));
            let page = store::open(db, &store, after, limit as u32)?;
            Ok((store, page))
        })
        .collect()
}
