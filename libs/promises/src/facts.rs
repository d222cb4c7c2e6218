//! Plain facts, as they were found in databases, in answers over HTTP, or in what a customer was told. Those that a service
//! also shows over HTTP are read from its JSON as they stand here.

use cafe_events::{Event, LineId, OrderId, Record, Source, Unreadable, partition_of};
use jiff::Timestamp;
use serde::Deserialize;

use crate::Runs;

/// What order shows of an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OrderFact {
    /// The order.
    pub id: OrderId,
    /// Its store.
    pub store: String,
    /// What is called out; empty in a fragment, which is what a restored order service has of an order it lost.
    #[serde(default)]
    pub number: String,
    /// The business day of `number`.
    #[serde(default)]
    pub day: String,
    /// What the customer sees.
    pub status: OrderStatus,
    /// Minor units.
    #[serde(default)]
    pub total: i64,
    /// Minor units given back, as the customer sees it.
    #[serde(default)]
    pub refunded: i64,
    /// When it was placed.
    #[serde(default)]
    pub placed_at: Option<Timestamp>,
    /// Not paid by then, it expires.
    #[serde(default)]
    pub pay_by: Option<Timestamp>,
    /// What the view was made from.
    #[serde(default)]
    pub versions: Versions,
}

/// What a customer sees of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the contract's")]
pub enum OrderStatus {
    Placed,
    Paid,
    Declined,
    Expired,
    Making,
    Ready,
    PickedUp,
    Cancelled,
    Refunded,
    Uncollected,
    /// A word that a newer program added.
    #[serde(other)]
    Other,
}

/// How much of what each service said a view of an order knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Versions {
    /// Said by order.
    #[serde(default)]
    pub order: u32,
    /// Heard from payment.
    #[serde(default)]
    pub payment: u32,
    /// Heard from barista.
    #[serde(default)]
    pub ticket: u32,
}

/// What payment keeps about an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PaymentFact {
    /// The order.
    pub order_id: OrderId,
    /// How it stands.
    pub status: PaymentStatus,
    /// What is to be paid, in minor units; not known while a restored payment service has not heard the order again.
    #[serde(default)]
    pub total: Option<i64>,
    /// What was charged, in minor units, over all attempts.
    pub charged: i64,
    /// What was given back, in minor units, goodwill included.
    pub refunded: i64,
    /// What was given back although it was made, in minor units.
    pub goodwill: i64,
    /// Whether a question of money is still open with the vendor.
    pub open: bool,
    /// Whether the vendor's record is being gone through for what was forgotten in a restore.
    #[serde(default)]
    pub checking: bool,
    /// Every time the vendor was asked for the money.
    #[serde(default)]
    pub attempts: Vec<AttemptFact>,
    /// Everything on its way back, or given back.
    #[serde(default)]
    pub refunds: Vec<GivenBackFact>,
    /// How many events payment said about the order.
    pub version: u32,
}

/// How a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the contract's")]
pub enum PaymentStatus {
    Due,
    Asking,
    Unknown,
    Approved,
    Declined,
    Expired,
    Cancelled,
    /// A word that a newer program added.
    #[serde(other)]
    Other,
}

/// One time that the vendor was asked for the money.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AttemptFact {
    /// From 1.
    pub number: u32,
    /// When the question went out.
    #[serde(default)]
    pub asked_at: Option<Timestamp>,
    /// The vendor was not asked, only its record was looked up, because it may have been asked before a restore.
    #[serde(default)]
    pub probe: bool,
}

/// Money on its way back, in payment's books.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GivenBackFact {
    /// Minor units.
    pub amount: i64,
    /// How it stands; `failed` is what a person must see to.
    pub state: String,
}

/// What barista keeps about an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TicketFact {
    /// The order.
    pub order_id: OrderId,
    /// How it stands.
    pub status: TicketStatus,
    /// Its lines.
    pub lines: Vec<LineFact>,
    /// How many events barista said about the order.
    pub version: u32,
}

/// How a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the contract's")]
pub enum TicketStatus {
    Queued,
    Making,
    Ready,
    PickedUp,
    Rejected,
    Cancelled,
    Uncollected,
    /// A word that a newer program added.
    #[serde(other)]
    Other,
}

/// One line of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LineFact {
    /// Number within the order.
    pub line_id: LineId,
    /// Minor units.
    pub price: i64,
    /// How it stands.
    pub state: LineState,
}

/// How a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the contract's")]
pub enum LineState {
    Waiting,
    Ready,
    Rejected,
    /// A word that a newer program added.
    #[serde(other)]
    Other,
}

/// An event as it stands in its speaker's outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFact {
    /// Who said it.
    pub source: Source,
    /// Place in the speaker's log.
    pub position: i64,
    /// Running number within order and source.
    pub version: u32,
    /// See [`cafe_events::content_hash`].
    pub hash: u64,
    /// When, by the speaker's clock.
    pub at: Timestamp,
    /// What was said; nothing for a type not known here, an error for what cannot be read.
    pub said: Result<Option<Event>, String>,
}

/// What a listener has heard from one source about one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardFact {
    /// Who listens.
    pub listener: Source,
    /// Who speaks.
    pub source: Source,
    /// Every version below was heard.
    pub next_version: u32,
    /// The content hash of each, from version 1.
    pub hashes: Vec<u64>,
}

/// An event that a listener holds until the versions before it are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFact {
    /// Who holds it.
    pub listener: Source,
    /// Who said it.
    pub source: Source,
    /// Which.
    pub version: u32,
}

/// An event that a listener has set aside for a person to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedFact {
    /// Who set it aside.
    pub listener: Source,
    /// Who said it.
    pub source: Source,
    /// Which, if it says so.
    pub version: Option<u32>,
    /// Why.
    pub reason: String,
}

/// A charge in the vendor's own record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeFact {
    /// The vendor's id of it.
    pub id: String,
    /// Minor units.
    pub amount: i64,
    /// When it landed.
    pub at: Timestamp,
}

/// Money given back, in the vendor's own record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundFact {
    /// The charge it is of.
    pub charge_id: String,
    /// Minor units.
    pub amount: i64,
}

/// What a customer was told about an order that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerFact {
    /// The customer's Idempotency-Key.
    pub key: String,
    /// The number that will be called out.
    pub number: String,
    /// What it costs, in minor units.
    pub total: i64,
    /// Whether their wish to cancel was acknowledged.
    pub cancelled: bool,
}

/// A number that is called out, and where in order's log its order was placed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumberFact {
    /// A row of numbers is per store…
    pub store: String,
    /// …and business day.
    pub day: String,
    /// Position of the order's `placed`, where order's log was read.
    pub position: Option<i64>,
    /// The number's value.
    pub number: u64,
    /// The order that has it.
    pub order_id: OrderId,
}

/// A speaker's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFact {
    /// New at creation and after a restore.
    pub log_id: String,
    /// The first position that is kept.
    pub oldest: i64,
    /// The last position given.
    pub last: i64,
    /// When it was restored from an older copy.
    pub restored_at: Option<Timestamp>,
    /// The positions found.
    pub positions: Runs,
}

/// Up to where a listener has heard a log, which may come in parts: the partitions of a topic, by the order's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkFact {
    /// In order; one where there is no broker.
    pub parts: Vec<PartFact>,
}

/// Up to where a part of a log was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartFact {
    /// The log it means.
    pub log_id: String,
    /// The last position taken in.
    pub position: i64,
}

impl LinkFact {
    /// How the part stands in which the events of an order are.
    pub fn part_of(&self, order_id: OrderId) -> Option<&PartFact> {
        self.parts.get(partition_of(&order_id.to_string(), self.parts.len() as i64) as usize)
    }
}

impl EventFact {
    /// The fact that is in a row of `source`'s outbox.
    pub fn of(source: Source, record: &Record) -> Self {
        Self {
            source,
            position: record.position,
            version: u32::try_from(record.version).unwrap_or_default(),
            hash: cafe_events::content_hash(&record.kind, &record.body),
            at: Timestamp::from_millisecond(record.at_ms).unwrap_or_default(),
            said: match record.read(source) {
                Ok(heard) => Ok(match heard.said {
                    cafe_events::Said::Known(event) => Some(event),
                    cafe_events::Said::Unknown => None,
                }),
                Err(Unreadable::Foreign(reason) | Unreadable::Malformed { reason, .. }) => Err(reason),
            },
        }
    }
}

impl HeardFact {
    /// Reads the column `hashes`: 16 hexadecimal digits per version.
    pub fn read_hashes(text: &str) -> Vec<u64> {
        let digits = text.as_bytes().chunks_exact(16);
        digits.filter_map(|hash| u64::from_str_radix(std::str::from_utf8(hash).ok()?, 16).ok()).collect()
    }
}

impl TicketFact {
    /// The prices of the lines that are made or still to be made, in minor units; a recalled line counts once.
    pub fn worth(&self) -> i64 {
        match self.status {
            TicketStatus::Cancelled => 0,
            _ => self
                .lines
                .iter()
                .filter(|line| line.state != LineState::Rejected)
                .map(|line| line.price)
                .sum(),
        }
    }
}

impl OrderStatus {
    /// Whether the order's way ends here.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Placed | Self::Paid | Self::Making | Self::Ready)
    }
}

/// Status words are shown as they are in JSON.
macro_rules! words {
    ($($type:ident { $($variant:ident $word:literal),+ })+) => {$(
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $word),+ })
            }
        }
    )+};
}

words! {
    OrderStatus {
        Placed "placed", Paid "paid", Declined "declined", Expired "expired", Making "making", Ready "ready",
        PickedUp "picked_up", Cancelled "cancelled", Refunded "refunded", Uncollected "uncollected", Other "?"
    }
    PaymentStatus {
        Due "due", Asking "asking", Unknown "unknown", Approved "approved", Declined "declined", Expired "expired",
        Cancelled "cancelled", Other "?"
    }
    TicketStatus {
        Queued "queued", Making "making", Ready "ready", PickedUp "picked_up", Rejected "rejected",
        Cancelled "cancelled", Uncollected "uncollected", Other "?"
    }
}
