//! The payment vendor: another company's machine, which remembers what it did and may answer or not.

use std::collections::BTreeMap;
use std::time::Duration;

use cafe_clock::from_ms;
use cafe_events::OrderId;
use cafe_payment::payment::attempt::{Charge, ChargeAnswer, Finding, RefundOnRecord, SETTLE_AFTER};
use cafe_payment::payment::refund::RefundAnswer;
use cafe_payment::vendor::{ChargeRequest, RefundRequest};

/// A call arrives within this time, or never.
const LONGEST_WAY: Duration = SETTLE_AFTER.saturating_sub(Duration::from_secs(1));

/// What the vendor, or the network on the way to it, does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    /// Does what is asked, and answers.
    Answers,
    /// Does what is asked; the answer is lost.
    LosesTheAnswer,
    /// Does what is asked, and answers; and tells of it once more later, unasked.
    AnswersTwice,
    /// Fails without doing anything, and says so.
    Fails,
    /// The call is lost on the way.
    Lost,
    /// The call arrives so many seconds after it was sent, and nobody waits for its answer any more.
    Late(u8),
    /// Refuses a charge or a refund clearly.
    Declines,
}

/// A call of a process of ours.
#[derive(Clone, Debug)]
pub enum Asked {
    /// For a charge.
    Charge(Box<ChargeRequest>),
    /// For what is on record under the key of a charge.
    LookUp(String),
    /// For a refund.
    Refund(RefundRequest),
    /// For what is on record under the key of a refund.
    LookUpRefund(String),
}

/// The answer to a call.
#[derive(Clone, Debug)]
pub enum Said {
    /// To a charge.
    Charge(ChargeAnswer),
    /// To a look-up.
    Finding(Finding),
    /// To a refund or its look-up.
    Refund(RefundAnswer),
}

/// A call that is under way.
#[derive(Debug)]
pub struct Call {
    /// New with each call.
    pub id: u32,
    /// What is asked.
    pub asked: Asked,
    /// When it was sent, since the beginning of the world.
    pub sent_at: Duration,
}

/// A charge, or a refusal to charge, on the vendor's record.
#[derive(Clone, Debug)]
pub struct OnRecord {
    /// For which order.
    pub order_id: OrderId,
    /// In minor units.
    pub amount: i64,
    /// Nothing was charged, for this reason.
    pub declined: Option<&'static str>,
    /// It cannot be seen before, since the beginning of the world.
    pub from: Duration,
    /// By the vendor's clock, milliseconds since the Unix epoch.
    pub at_ms: i64,
    currency: cafe_events::Currency,
}

/// A refund on the vendor's record.
#[derive(Clone, Debug)]
pub struct RefundMade {
    /// Of which charge.
    pub charge_id: String,
    /// In minor units.
    pub amount: i64,
    /// It cannot be seen before.
    pub from: Duration,
}

/// The vendor.
#[derive(Default)]
pub struct Vendor {
    /// Charges and refusals, by key.
    pub charges: BTreeMap<String, OnRecord>,
    /// By key.
    pub refunds: BTreeMap<String, RefundMade>,
    /// Calls on which nothing was done yet.
    pub calls: Vec<Call>,
    answers: BTreeMap<u32, Said>,
    /// Of attempts, by order: what it will tell of unasked.
    pub news: Vec<(OrderId, u32)>,
    last_call: u32,
    /// How many calls there ever were.
    pub calls_made: u32,
}

impl Vendor {
    /// When the last of what is on its way arrives, since the beginning of the world.
    pub fn arrives_last(&self) -> Duration {
        let charges = self.charges.values().map(|charge| charge.from);
        charges.chain(self.refunds.values().map(|refund| refund.from)).max().unwrap_or_default()
    }

    /// A call arrives on the way; answers its number.
    pub fn call(&mut self, asked: Asked, now: Duration) -> u32 {
        self.last_call += 1;
        self.calls_made += 1;
        self.calls.push(Call { id: self.last_call, asked, sent_at: now });
        self.last_call
    }

    /// The answer to a call, if it has come.
    pub fn answer(&mut self, call: u32) -> Option<Said> {
        self.answers.remove(&call)
    }

    /// Nobody waits for an answer any more; the call may arrive nevertheless.
    pub fn hang_up(&mut self, call: u32) {
        self.answers.remove(&call);
    }

    /// Does something about one of the calls that are under way, as its mood is. `wall_ms` is the vendor's clock.
    pub fn act(&mut self, index: usize, mood: Mood, now: Duration, wall_ms: i64) -> Option<(Call, Mood)> {
        if index >= self.calls.len() {
            return None;
        }
        let call = self.calls.remove(index);
        // Nothing is on its way for longer: that is the agreement of `SETTLE_AFTER`.
        let mood = if now.saturating_sub(call.sent_at) > LONGEST_WAY { Mood::Lost } else { mood };
        let mood = mood.possible_for(&call.asked);
        let late = match mood {
            Mood::Late(seconds) => (call.sent_at + Duration::from_secs(seconds.into())).saturating_sub(now),
            _ => Duration::ZERO,
        };
        let said = match (&call.asked, mood) {
            (_, Mood::Lost) => None,
            (asked, Mood::Fails) => Some(asked.failed()),
            (Asked::Charge(request), _) => {
                let declined = (mood == Mood::Declines).then_some("card_declined");
                Some(Said::Charge(self.charge(
                    request,
                    declined,
                    now + late,
                    wall_ms + late.as_millis() as i64,
                )))
            }
            (Asked::Refund(_), Mood::Declines) => {
                Some(Said::Refund(RefundAnswer::Refused { reason: "not_possible".to_owned() }))
            }
            (Asked::Refund(request), _) => Some(Said::Refund(self.refund(request, now + late))),
            (Asked::LookUp(key), _) => Some(Said::Finding(self.look_up(key, now))),
            (Asked::LookUpRefund(key), _) => Some(Said::Refund(self.look_up_refund(key, now))),
        };
        if let (Asked::Charge(request), Mood::AnswersTwice) = (&call.asked, mood)
            && let Some(number) = request.key.rsplit('/').next().and_then(|number| number.parse().ok())
        {
            self.news.push((request.order_id, number));
        }
        if let Some(said) = said
            && !matches!(mood, Mood::LosesTheAnswer | Mood::Late(_))
        {
            self.answers.insert(call.id, said);
        }
        Some((call, mood))
    }

    fn charge(
        &mut self,
        request: &ChargeRequest,
        declined: Option<&'static str>,
        from: Duration,
        at_ms: i64,
    ) -> ChargeAnswer {
        self.charges.entry(request.key.clone()).or_insert(OnRecord {
            order_id: request.order_id,
            amount: request.amount,
            declined,
            from,
            at_ms,
            currency: request.currency,
        });
        match self.found(&request.key, from) {
            Some(Finding::Found(charge)) => ChargeAnswer::Approved(charge),
            Some(Finding::Declined { reason }) => ChargeAnswer::Declined { reason },
            _ => ChargeAnswer::Unclear { arrived: false, detail: "not yet".to_owned() },
        }
    }

    fn refund(&mut self, request: &RefundRequest, from: Duration) -> RefundAnswer {
        let made = RefundMade { charge_id: request.charge_id.clone(), amount: request.amount, from };
        let amount = self.refunds.entry(request.key.clone()).or_insert(made).amount;
        RefundAnswer::Done { amount }
    }

    fn look_up(&self, key: &str, now: Duration) -> Finding {
        self.found(key, now).unwrap_or(Finding::NotFound)
    }

    fn found(&self, key: &str, now: Duration) -> Option<Finding> {
        let on_record = self.charges.get(key).filter(|it| it.from <= now)?;
        if let Some(reason) = on_record.declined {
            return Some(Finding::Declined { reason: reason.to_owned() });
        }
        let charge_id = charge_id(key);
        let refunds = self.refunds.iter().filter(|(_, refund)| refund.charge_id == charge_id);
        Some(Finding::Found(Charge {
            order_id: on_record.order_id,
            amount: on_record.amount,
            currency: on_record.currency,
            at: from_ms(on_record.at_ms),
            refunds: refunds
                .map(|(key, refund)| RefundOnRecord { key: key.clone(), amount: refund.amount })
                .collect(),
            charge_id,
        }))
    }

    fn look_up_refund(&self, key: &str, now: Duration) -> RefundAnswer {
        match self.refunds.get(key).filter(|refund| refund.from <= now) {
            Some(refund) => RefundAnswer::Done { amount: refund.amount },
            None => RefundAnswer::NotFound,
        }
    }
}

/// The vendor's id of the charge under a key.
pub fn charge_id(key: &str) -> String {
    format!("ch_{key}")
}

impl Asked {
    fn failed(&self) -> Said {
        let detail = "an error of the vendor's".to_owned();
        match self {
            Self::Charge(_) => Said::Charge(ChargeAnswer::Unclear { arrived: true, detail }),
            Self::LookUp(_) => Said::Finding(Finding::Unclear { detail }),
            Self::Refund(_) => Said::Refund(RefundAnswer::Unclear { arrived: true, detail }),
            Self::LookUpRefund(_) => Said::Refund(RefundAnswer::Unclear { arrived: false, detail }),
        }
    }

    /// In one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Charge(_) => "charge",
            Self::LookUp(_) => "look-up",
            Self::Refund(_) => "refund",
            Self::LookUpRefund(_) => "refund's look-up",
        }
    }

    /// Under which key.
    pub fn key(&self) -> &str {
        match self {
            Self::Charge(request) => &request.key,
            Self::Refund(request) => &request.key,
            Self::LookUp(key) | Self::LookUpRefund(key) => key,
        }
    }
}

impl Mood {
    /// A look-up changes nothing, so it can only be answered or not.
    fn possible_for(self, asked: &Asked) -> Self {
        match (asked, self) {
            (Asked::LookUp(_) | Asked::LookUpRefund(_), Self::Late(_)) => Self::LosesTheAnswer,
            (Asked::LookUp(_) | Asked::LookUpRefund(_), Self::Declines | Self::AnswersTwice)
            | (Asked::Refund(_), Self::AnswersTwice) => Self::Answers,
            _ => self,
        }
    }
}
