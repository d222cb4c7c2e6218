//! What one customer does: orders until answered, perhaps twice at once, perhaps cancels.

use std::sync::Arc;
use std::time::Duration;

use cafe_events::OrderId;
use cafe_promises::CustomerFact;
use hyper::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::Rush;
use super::plan::Customer;
use super::tally::Taken;
use super::wire::{Answer, Wire};

/// Pause before a request is sent again; it doubles each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);
/// The longest pause; a service that asks for more by Retry-After is asked again after this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A customer who has got no answer for so long leaves.
const PATIENCE: Duration = Duration::from_mins(2);

/// What an order is answered with, as far as it matters here.
#[derive(Deserialize)]
struct Receipt {
    id: OrderId,
    number: String,
    total: i64,
    token: String,
    placed_at: Timestamp,
    pay_by: Timestamp,
}

/// Orders, and sees to it that the rest is done by others.
pub(super) async fn order(rush: &Arc<Rush>, wire: &mut Wire, customer: &Arc<Customer>) {
    let comes = rush.began + customer.comes_at;
    if customer.sends_twice {
        let (rush, customer) = (Arc::clone(rush), Arc::clone(customer));
        tokio::spawn(async move {
            let mut wire = Wire::new(rush.order);
            if let Some((receipt, _)) = until_answered(&rush, &mut wire, &customer).await {
                let mut tally = rush.tally.lock();
                tally.sent_twice += 1;
                tally.taken.push(taken(&customer, &receipt));
            }
        });
    }
    let Some((receipt, sent)) = until_answered(rush, wire, customer).await else {
        rush.tally.lock().through += 1;
        return;
    };
    let mut tally = rush.tally.lock();
    tally.note_wait(comes.elapsed(), sent.elapsed());
    tally.taken.push(taken(customer, &receipt));
    tally.through += 1;
    drop(tally);
    if let Some(after) = customer.cancels_after {
        tokio::spawn(cancel(Arc::clone(rush), receipt, after));
    }
}

/// Sends the same request until it is answered one way or the other; answers also when the answered one was sent.
async fn until_answered(rush: &Rush, wire: &mut Wire, customer: &Customer) -> Option<(Receipt, Instant)> {
    let first_sent = Instant::now();
    let mut pause = SHORTEST_PAUSE;
    loop {
        let sent = Instant::now();
        let asked_to_wait = match wire.post_order(&customer.key, customer.body.clone()).await {
            Ok(answer) if answer.status.is_success() => {
                return receipt(rush, &answer).map(|receipt| (receipt, sent));
            }
            Ok(answer) if is_worth_repeating(answer.status) => {
                rush.tally.sent_again(answer.status.as_str());
                answer.retry_after
            }
            Ok(answer) => {
                rush.tally.failed(format!(
                    "an order was answered with {}: {}",
                    answer.status,
                    excerpt(&answer)
                ));
                return None;
            }
            Err(lost) => {
                rush.tally.sent_again(lost);
                None
            }
        };
        if first_sent.elapsed() > PATIENCE {
            rush.tally.failed(format!("{} got no answer in {} s", customer.key, PATIENCE.as_secs()));
            return None;
        }
        sleep(asked_to_wait.unwrap_or(pause).min(LONGEST_PAUSE)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The outcome is unknown, or nothing happened: the same key makes it safe to ask again.
fn is_worth_repeating(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

fn receipt(rush: &Rush, answer: &Answer) -> Option<Receipt> {
    match serde_json::from_slice(&answer.body) {
        Ok(receipt) => Some(receipt),
        Err(error) => {
            rush.tally.failed(format!("an order was taken with an answer that cannot be read: {error}"));
            None
        }
    }
}

fn taken(customer: &Customer, receipt: &Receipt) -> Taken {
    let to_pay = cafe_clock::since(receipt.pay_by, receipt.placed_at);
    Taken {
        order_id: receipt.id,
        told: CustomerFact {
            key: customer.key.clone(),
            number: receipt.number.clone(),
            total: receipt.total,
            cancelled: false,
        },
        expires: Instant::now() + to_pay,
    }
}

/// Asks for the order to be undone, until answered. Whether it is too late is the cafe's to say.
async fn cancel(rush: Arc<Rush>, receipt: Receipt, after: Duration) {
    sleep(after).await;
    let url = format!("http://{}/orders/{}/cancel", rush.order, receipt.id);
    let client = rush.errands.with_bearer(&receipt.token);
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        match client.send(hyper::Method::POST, &url, &[], bytes::Bytes::new()).await {
            Ok(answer) if is_worth_repeating(answer.status) => {}
            Ok(answer) => {
                let mut tally = rush.tally.lock();
                *tally.cancels.entry(answer.status.as_u16()).or_default() += 1;
                if answer.status == StatusCode::ACCEPTED {
                    tally.cancelled.insert(receipt.id);
                } else if answer.status != StatusCode::OK && answer.status != StatusCode::CONFLICT {
                    tally.failures.push(format!(
                        "a cancel of order {} was answered with {}",
                        receipt.id, answer.status
                    ));
                }
                return;
            }
            Err(_) => {}
        }
        sleep(LONGEST_PAUSE).await;
    }
    rush.tally.failed(format!("a cancel of order {} got no answer", receipt.id));
}

/// Errors hold no secrets; long ones are cut.
fn excerpt(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).chars().take(300).collect()
}
