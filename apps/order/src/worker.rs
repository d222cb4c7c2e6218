//! What the order service does between requests, once a second: it looks how long orders wait for payment, and forgets old
//! Idempotency-Keys.

use std::sync::Arc;
use std::time::Duration;

use cafe_clock::Clock;
use cafe_delivery::Desk;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::backlog::Backlog;
use crate::store::{self, Chores};
use crate::{Orders, Request};

/// How often.
const EVERY: Duration = Duration::from_secs(1);
/// After so long an Idempotency-Key may be forgotten. It is promised for 24 hours, and a clock that steps on by a day must not
/// make two orders of one; it is forgotten by a chore only, never by a request.
pub const KEY_LIFE: Duration = Duration::from_hours(48);

/// Does the chores until `stop`.
pub(crate) async fn do_chores(
    desk: Desk<Orders>,
    backlog: Arc<Backlog>,
    clock: Clock,
    stop: CancellationToken,
) {
    while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        let behind = backlog.begins_after();
        let chores = match desk.readers().read(move |db| store::chores(db, behind)).await {
            Ok(chores) => chores,
            Err(error) => {
                tracing::warn!(%error, "the backlog of payment could not be looked at");
                continue;
            }
        };
        backlog.note(chores.oldest_waiting);
        forget_keys(&desk, &chores, clock.now()).await;
    }
}

async fn forget_keys(desk: &Desk<Orders>, chores: &Chores, now: Timestamp) {
    let before = cafe_clock::before(now, KEY_LIFE);
    if chores.oldest_key.is_some_and(|used_at| used_at < before)
        && let Err(error) = desk.ask(Request::ForgetKeys { before }, None).await
    {
        tracing::warn!(%error, "old Idempotency-Keys stay for now");
    }
}
