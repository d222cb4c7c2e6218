//! The thread that keeps the simulator's record: it takes all calls that wait, writes them in one transaction, and answers
//! when that is on disk.

use std::path::Path;

use cafe_store::{Connection, Error, OpenError};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::record::{self, ChargeOnRecord, RefundOfCharge};
use super::{ChargeRequest, Conduct, RefundRequest};
use crate::payment::attempt::{Charge, ChargeAnswer, Finding};
use crate::payment::refund::RefundAnswer;

/// Calls that are written together at most.
const BATCH: usize = 512;

/// One call of the vendor's interface.
pub(super) enum Call {
    Charge {
        request: ChargeRequest,
        conduct: Conduct,
        at: Timestamp,
        answer: oneshot::Sender<ChargeAnswer>,
    },
    LookUp {
        key: String,
        now: Timestamp,
        answer: oneshot::Sender<Finding>,
    },
    /// Answered with whether the answer is to be sent at all.
    Refund {
        request: RefundRequest,
        at: Timestamp,
        answer: oneshot::Sender<(RefundAnswer, bool)>,
    },
    LookUpRefund {
        key: String,
        answer: oneshot::Sender<RefundAnswer>,
    },
}

pub(super) struct Clerk {
    db: Connection,
}

/// An answer that may be sent once the batch is on disk.
type Answer = Box<dyn FnOnce() + Send>;

impl Clerk {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        Connection::open(path, record::MIGRATIONS).map(|db| Self { db })
    }

    pub(super) fn run(mut self, mut calls: mpsc::Receiver<Call>) {
        let mut batch = Vec::with_capacity(BATCH);
        while calls.blocking_recv_many(&mut batch, BATCH) > 0 {
            match self.work(batch.drain(..)) {
                Ok(answers) => answers.into_iter().for_each(|answer| answer()),
                // The callers' answers were dropped with the batch, which a caller takes for an error of the vendor's.
                Err(error) => {
                    tracing::error!(%error, "the simulator cannot write its record");
                    let _ = self.db.rollback();
                }
            }
        }
    }

    fn work(&mut self, calls: impl Iterator<Item = Call>) -> Result<Vec<Answer>, Error> {
        self.db.begin()?;
        let answers = calls.map(|call| self.answer(call)).collect::<Result<_, _>>()?;
        self.db.commit()?;
        Ok(answers)
    }

    fn answer(&mut self, call: Call) -> Result<Answer, Error> {
        Ok(match call {
            Call::Charge { request, conduct, at, answer } => {
                later(answer, self.charge(&request, conduct, at)?)
            }
            Call::LookUp { key, now, answer } => later(answer, self.look_up(&key, now)?),
            Call::Refund { request, at, answer } => later(answer, self.refund(&request, at)?),
            Call::LookUpRefund { key, answer } => {
                let found = record::refund(&mut self.db, &key)?;
                let found = found
                    .map_or(RefundAnswer::NotFound, |refund| RefundAnswer::Done { amount: refund.amount });
                later(answer, found)
            }
        })
    }

    fn charge(
        &mut self,
        request: &ChargeRequest,
        conduct: Conduct,
        at: Timestamp,
    ) -> Result<ChargeAnswer, Error> {
        let charge = ChargeOnRecord {
            charge_id: record::charge_id(&request.key),
            key: request.key.clone(),
            order_id: request.order_id,
            amount: request.amount,
            currency: request.currency,
            declined: match conduct {
                Conduct::Decline(reason) => Some(reason.to_owned()),
                _ => None,
            },
            charged_at_ms: at.as_millisecond(),
            refunds_answer: !matches!(conduct, Conduct::Approve { refunds_answer: false, .. }),
        };
        let is_new = record::add_charge(&mut self.db, &charge, request.traceparent.as_ref())?;
        // Asked before under this key: what was said then is said again.
        let before = if is_new { None } else { record::charge(&mut self.db, &request.key)? };
        let refunds = if is_new { Vec::new() } else { record::refunds_of(&mut self.db, &charge.charge_id)? };
        let charge = before.unwrap_or(charge);
        Ok(match charge.declined.clone() {
            Some(reason) => ChargeAnswer::Declined { reason },
            None => ChargeAnswer::Approved(reported(charge, refunds)),
        })
    }

    fn look_up(&mut self, key: &str, now: Timestamp) -> Result<Finding, Error> {
        let found = record::charge(&mut self.db, key)?;
        Ok(match found.filter(|charge| charge.charged_at_ms <= now.as_millisecond()) {
            None => Finding::NotFound,
            Some(ChargeOnRecord { declined: Some(reason), .. }) => Finding::Declined { reason },
            Some(charge) => {
                let refunds = record::refunds_of(&mut self.db, &charge.charge_id)?;
                Finding::Found(reported(charge, refunds))
            }
        })
    }

    /// Answers with whether the answer is sent.
    fn refund(&mut self, request: &RefundRequest, at: Timestamp) -> Result<(RefundAnswer, bool), Error> {
        let refused = |reason: &str| (RefundAnswer::Refused { reason: reason.to_owned() }, true);
        let Some(charge) = record::charge_by_id(&mut self.db, &request.charge_id)? else {
            return Ok(refused("no_such_charge"));
        };
        if let Some(before) = record::refund(&mut self.db, &request.key)? {
            return Ok((RefundAnswer::Done { amount: before.amount }, charge.refunds_answer));
        }
        let given: i64 =
            record::refunds_of(&mut self.db, &request.charge_id)?.iter().map(|refund| refund.amount).sum();
        if charge.declined.is_some() || given + request.amount > charge.amount {
            return Ok(refused("more_than_charged"));
        }
        record::add_refund(&mut self.db, request, at)?;
        Ok((RefundAnswer::Done { amount: request.amount }, charge.refunds_answer))
    }
}

fn reported(charge: ChargeOnRecord, refunds: Vec<RefundOfCharge>) -> Charge {
    Charge {
        order_id: charge.order_id,
        amount: charge.amount,
        currency: charge.currency,
        at: cafe_clock::from_ms(charge.charged_at_ms),
        charge_id: charge.charge_id,
        refunds: refunds.into_iter().map(Into::into).collect(),
    }
}

fn later<T: Send + 'static>(answer: oneshot::Sender<T>, said: T) -> Answer {
    // Whoever asked may have given up; the record stands.
    Box::new(move || drop(answer.send(said)))
}
