//! Bugs that are planted to see whether the simulation finds them: each is one that similar systems were seen to have, or that
//! a rule, a table or a check of ours is there to prevent.

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// An answer does not wait for the disk.
    UnsyncedAnswer,
    /// Whoever opens a peer's file hears what is not synced.
    ReaderDoesNotSync,
    /// A log that was restored from an older copy is not heard again.
    RestoredLogIsReadOn,
    /// That something was heard is committed before what it did.
    HeardOutsideTransaction,
    /// An event can be heard before what it tells is committed.
    EventBeforeCommit,
    /// What was heard is known by a position only.
    DedupeByPositionOnly,
    /// A position moves on past an event that was to be set aside, and is not.
    PositionWithoutParked,
    /// An event that came too early is dropped.
    HeldDropped,
    /// The last number is kept in memory.
    NumberOutsideTransaction,
    /// Positions of the outbox are drawn from a sequence that is not rolled back.
    GapInOutbox,
    /// A commit of unknown outcome counts as failed.
    UnknownCommitFailed,
    /// A commit of unknown outcome counts as done.
    UnknownCommitDone,
    /// A turn that found no room is rolled back by half.
    HalfRolledBack,
    /// Idempotency-Keys are not kept.
    KeyNotKept,
    /// Another body under the same key is the same order.
    BodyIgnored,
    /// A clock that steps back begins the day's numbers anew.
    NumbersFollowTheClock,
    /// A cancel is acknowledged before it is decided.
    CancelOnlyAcknowledged,
    /// Barista's news is dropped while payment's is not there.
    NewsInOrderOnly,
    /// A charge without a clear answer counts as declined.
    UnknownIsDeclined,
    /// A charge without an answer counts as not made once it is not found.
    NotFoundClosesAtOnce,
    /// How long a vendor was silent is measured from the start of a process, though another one may have asked since.
    SilenceSinceStart,
    /// Whatever seems to have been asked by a process that died is asked again.
    OrphanAskedAgain,
    /// A vendor is asked under a new key each time.
    ChargeUnderNewKey,
    /// A refund is asked for under a new key each time.
    RefundUnderNewKey,
    /// A charge that is found after the order's end is kept.
    LateChargeKept,
    /// Payment takes its own time to pay from when it hears of the order.
    PayByFromHearing,
    /// An order expires though its outcome is unknown.
    ExpiresWhileUnknown,
    /// Payment gives money back for a cancel after its approval, whatever barista says.
    CancelDecidedTwice,
    /// Barista honours a cancel after making has started.
    CancelAfterStart,
    /// What cannot be made is given back once more for each time it is heard.
    RefundedPerHearing,
    /// A listener that could not hand over what it read reads on.
    FailedBatchSkipped,
    /// A process that was frozen asks the vendor when it wakes, whoever leads.
    SleeperAsks,
    /// A relay goes by what brokers have acknowledged, and does not look whether they still have it.
    RelayTrustsBrokers,
    /// A relay goes by a topic's last message, and does not look whether all before it is there.
    RelayTrustsTheEnd,
    /// A listener reads on at its offset when a connection was lost, whatever lies there now.
    ListenerTrustsOffsets,
    /// An event of a type that is not known is not counted.
    UnknownNotCounted,
    /// A row that is there already is not written anew.
    RowNotUpdated,
    /// A column that is searched by is left out when its row is written anew.
    ColumnNotUpdated,
    /// What was held stays in the table.
    RowNotDeleted,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 39] = [
        Self::UnsyncedAnswer,
        Self::ReaderDoesNotSync,
        Self::RestoredLogIsReadOn,
        Self::HeardOutsideTransaction,
        Self::EventBeforeCommit,
        Self::DedupeByPositionOnly,
        Self::PositionWithoutParked,
        Self::HeldDropped,
        Self::NumberOutsideTransaction,
        Self::GapInOutbox,
        Self::UnknownCommitFailed,
        Self::UnknownCommitDone,
        Self::HalfRolledBack,
        Self::KeyNotKept,
        Self::BodyIgnored,
        Self::NumbersFollowTheClock,
        Self::CancelOnlyAcknowledged,
        Self::NewsInOrderOnly,
        Self::UnknownIsDeclined,
        Self::NotFoundClosesAtOnce,
        Self::SilenceSinceStart,
        Self::OrphanAskedAgain,
        Self::ChargeUnderNewKey,
        Self::RefundUnderNewKey,
        Self::LateChargeKept,
        Self::PayByFromHearing,
        Self::ExpiresWhileUnknown,
        Self::CancelDecidedTwice,
        Self::CancelAfterStart,
        Self::RefundedPerHearing,
        Self::FailedBatchSkipped,
        Self::SleeperAsks,
        Self::RelayTrustsBrokers,
        Self::RelayTrustsTheEnd,
        Self::ListenerTrustsOffsets,
        Self::UnknownNotCounted,
        Self::RowNotUpdated,
        Self::ColumnNotUpdated,
        Self::RowNotDeleted,
    ];

    /// Whether it is one of the SQL: only the files of `SQLite` have it, so whoever looks for it looks there.
    pub fn is_in_sql(self) -> bool {
        matches!(self, Self::RowNotUpdated | Self::ColumnNotUpdated | Self::RowNotDeleted)
    }

    /// What is wrong, in a few words.
    pub fn says(self) -> &'static str {
        match self {
            Self::UnsyncedAnswer => "an answer does not wait for the disk",
            Self::ReaderDoesNotSync => "a listener hears what is not synced",
            Self::RestoredLogIsReadOn => "a restored log is not heard again",
            Self::HeardOutsideTransaction => "heard is marked outside the transaction",
            Self::EventBeforeCommit => "an event can be heard before its commit",
            Self::DedupeByPositionOnly => "what was heard is known by its position only",
            Self::PositionWithoutParked => "a position moves on without the set-aside event",
            Self::HeldDropped => "an event that came too early is dropped",
            Self::NumberOutsideTransaction => "the last number is kept in memory",
            Self::GapInOutbox => "outbox positions are not rolled back",
            Self::UnknownCommitFailed => "a commit of unknown outcome counts as failed",
            Self::UnknownCommitDone => "a commit of unknown outcome counts as done",
            Self::HalfRolledBack => "a full disk rolls half of the turn back",
            Self::KeyNotKept => "Idempotency-Keys are not kept",
            Self::BodyIgnored => "another body under the same key is the same order",
            Self::NumbersFollowTheClock => "a clock that steps back begins numbers anew",
            Self::CancelOnlyAcknowledged => "a cancel is acknowledged and not announced",
            Self::NewsInOrderOnly => "barista's news is dropped if payment's is not there",
            Self::UnknownIsDeclined => "an unknown charge counts as declined",
            Self::NotFoundClosesAtOnce => "\"not found\" counts at once",
            Self::SilenceSinceStart => "a standby counts a vendor's silence from its own start",
            Self::OrphanAskedAgain => "an attempt of a dead process is asked again",
            Self::ChargeUnderNewKey => "each charge goes under a new key",
            Self::RefundUnderNewKey => "each refund goes under a new key",
            Self::LateChargeKept => "a charge found after the end is kept",
            Self::PayByFromHearing => "the time to pay runs from payment's hearing",
            Self::ExpiresWhileUnknown => "an order expires while its charge is unknown",
            Self::CancelDecidedTwice => "a cancel is decided in two places",
            Self::CancelAfterStart => "a cancel is honoured after making started",
            Self::RefundedPerHearing => "money goes back for each hearing",
            Self::FailedBatchSkipped => "a listener reads on past what failed",
            Self::SleeperAsks => "a frozen process asks the vendor when it wakes",
            Self::RelayTrustsBrokers => "a relay trusts what brokers have acknowledged",
            Self::RelayTrustsTheEnd => "a relay goes by a topic's last message only",
            Self::ListenerTrustsOffsets => "a listener trusts its offset in a topic that was made anew",
            Self::UnknownNotCounted => "an event of an unknown type is not counted",
            Self::RowNotUpdated => "SQL does not write a row anew",
            Self::ColumnNotUpdated => "SQL leaves a column out of an update",
            Self::RowNotDeleted => "SQL does not delete what is not held any more",
        }
    }
}
