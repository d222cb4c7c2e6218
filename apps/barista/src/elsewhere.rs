//! What other replicas did, brought to the screens that watch this one: their changes are read from the rows.

use std::collections::BTreeSet;

use cafe_delivery::{Desk, Elsewhere};
use cafe_events::OrderId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::domain::{Barista, Changed};
use crate::feed::Feed;
use crate::store;

/// Changes that wait to be read; past it the screens look at the whole queue again.
const UNREAD_LIMIT: usize = 2_048;

/// Where news comes in.
pub(crate) struct Seen {
    unread: mpsc::Sender<OrderId>,
    feed: Feed,
}

/// News whose rows are still to be read.
pub(crate) struct Unread {
    changed: mpsc::Receiver<OrderId>,
    feed: Feed,
}

pub(crate) fn channel(feed: Feed) -> (Seen, Unread) {
    let (unread, changed) = mpsc::channel(UNREAD_LIMIT);
    (Seen { unread, feed: feed.clone() }, Unread { changed, feed })
}

impl Seen {
    /// Takes note without waiting.
    pub(crate) fn take(&self, what: Elsewhere<'_>) {
        let order_id = match what {
            Elsewhere::Said(line) => OrderId::try_parse(line).ok(),
            Elsewhere::Missed => None,
        };
        if order_id.is_none_or(|order_id| self.unread.try_send(order_id).is_err()) {
            self.feed.forget();
        }
    }
}

impl Unread {
    /// Shows the tickets as they are, in the order of the news, until `stop`.
    pub(crate) async fn show(mut self, desk: Desk<Barista>, stop: CancellationToken) {
        while let Some(Some(first)) = stop.run_until_cancelled(self.changed.recv()).await {
            let mut changed = BTreeSet::from([first]);
            while let Ok(next) = self.changed.try_recv() {
                changed.insert(next);
            }
            let read = desk.readers().read(move |db| {
                changed.iter().map(|order_id| Ok((*order_id, store::ticket(db, *order_id)?))).collect()
            });
            match read.await {
                Ok(tickets) => self.push(tickets),
                Err(error) => {
                    warn!(%error, "what another replica did cannot be read; the screens look at the whole queue");
                    self.feed.forget();
                }
            }
        }
    }

    fn push(&self, tickets: Vec<(OrderId, Option<std::sync::Arc<crate::Ticket>>)>) {
        for (order_id, ticket) in tickets {
            if let Some(ticket) = ticket {
                self.feed.push(Changed { order_id, before: Some(ticket.status), ticket });
            }
        }
    }
}
