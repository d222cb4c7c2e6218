//! The rules of one ticket: what may be done to it, and what is then said. Pure: state, command and time in, events out.

mod refusal;

use std::time::Duration;

use cafe_events::{
    LineId, OrderLine, Party, TicketCancelRefused, TicketCancelled, TicketEvent, TicketLineReady,
    TicketPickedUp, TicketReady, TicketRecalled, TicketRejected, TicketStarted, TicketUncollected,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use refusal::Refusal;

/// A paid order at the counter: what is to be made, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Where it is made.
    pub store: String,
    /// What is called out.
    pub number: String,
    /// The business day that `number` belongs to, `YYYY-MM-DD`.
    pub day: String,
    /// Place in the store's line of all tickets ever queued, from 1.
    pub sequence: i64,
    /// How far it is.
    pub status: Status,
    /// What is to be made, at least one line.
    pub lines: Vec<TicketLine>,
    /// How many events were announced about it.
    pub version: u32,
    /// When it joined the queue.
    pub queued_at: Timestamp,
    /// When making started, the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it became ready, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Timestamp>,
}

/// One line of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketLine {
    /// As ordered and paid.
    pub ordered: OrderLine,
    /// How far it is.
    pub state: LineState,
    /// It was made once and came back; a line counts as made once however often that happens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recalled: bool,
}

/// How far a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits; can still be cancelled.
    Queued,
    /// Being made.
    Making,
    /// Everything that will be made is made.
    Ready,
    /// Handed over; only a recall brings it back.
    PickedUp,
    /// Nothing of it can be made. Final.
    Rejected,
    /// Cancelled before making started. Final.
    Cancelled,
    /// Ready, but nobody came. Final.
    Uncollected,
}

/// How far a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// To be made.
    Waiting,
    /// Made.
    Ready,
    /// Cannot be made; its price goes back.
    Rejected,
}

/// What can be asked of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Making starts; from then on a cancel is refused.
    Start,
    /// One line is made; starts the ticket if nobody had.
    LineReady(LineId),
    /// All that was left is made.
    Ready,
    /// Handed over.
    PickUp,
    /// Made lines are made again, at no charge.
    Recall(Lines, Option<String>),
    /// Lines cannot be made.
    Reject(Lines, Option<String>),
    /// Somebody wants it undone.
    Cancel(Party, Option<String>),
    /// Nobody came for it, given this long.
    GiveUp(Duration),
}

/// Which lines a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    /// The whole ticket.
    All,
    /// These, at least one.
    Only(Vec<LineId>),
}

/// What came of a command that broke no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The ticket changed, and this is to be said about it, in this order.
    Changed(Vec<TicketEvent>),
    /// It had been done before; nothing changed.
    AlreadyDone,
}

type Outcome = Result<Transition, Refusal>;

impl Ticket {
    /// Does what is asked, or says why not. The ticket is as before unless something [`Transition::Changed`].
    pub fn obey(&mut self, command: &Command, now: Timestamp) -> Outcome {
        let outcome = match command {
            Command::Start => self.start(now),
            Command::LineReady(line) => self.line_ready(*line, now),
            Command::Ready => self.ready(now),
            Command::PickUp => self.pick_up(),
            Command::Recall(lines, reason) => self.recall(lines, reason.as_deref()),
            Command::Reject(lines, reason) => self.reject(lines, reason.as_deref(), now),
            Command::Cancel(by, reason) => Ok(self.cancel(*by, reason.as_deref())),
            Command::GiveUp(patience) => self.give_up(*patience, now),
        };
        if let Ok(Transition::Changed(events)) = &outcome {
            self.version += events.len() as u32;
        }
        outcome
    }

    fn start(&mut self, now: Timestamp) -> Outcome {
        match self.status {
            Status::Queued => {
                let mut said = Vec::new();
                self.begin(now, &mut said);
                Ok(Transition::Changed(said))
            }
            Status::Making | Status::Ready | Status::PickedUp => Ok(Transition::AlreadyDone),
            Status::Rejected | Status::Cancelled | Status::Uncollected => Err(self.not_now()),
        }
    }

    fn line_ready(&mut self, line_id: LineId, now: Timestamp) -> Outcome {
        let line = self.index(line_id)?;
        match (self.status, self.lines[line].state) {
            (Status::Rejected | Status::Cancelled | Status::Uncollected, _) => Err(self.not_now()),
            (_, LineState::Rejected) => Err(Refusal::LineRejected(line_id)),
            (_, LineState::Ready) => Ok(Transition::AlreadyDone),
            (_, LineState::Waiting) => {
                let mut said = Vec::new();
                self.begin(now, &mut said);
                self.finish(line, &mut said);
                self.settle(now, &mut said);
                Ok(Transition::Changed(said))
            }
        }
    }

    fn ready(&mut self, now: Timestamp) -> Outcome {
        match self.status {
            Status::Queued | Status::Making => {
                let mut said = Vec::new();
                self.begin(now, &mut said);
                for line in 0..self.lines.len() {
                    if self.lines[line].state == LineState::Waiting {
                        self.finish(line, &mut said);
                    }
                }
                self.settle(now, &mut said);
                Ok(Transition::Changed(said))
            }
            Status::Ready | Status::PickedUp => Ok(Transition::AlreadyDone),
            Status::Rejected | Status::Cancelled | Status::Uncollected => Err(self.not_now()),
        }
    }

    fn pick_up(&mut self) -> Outcome {
        match self.status {
            Status::Ready => {
                self.status = Status::PickedUp;
                Ok(Transition::Changed(vec![TicketEvent::PickedUp(TicketPickedUp {})]))
            }
            Status::PickedUp => Ok(Transition::AlreadyDone),
            _ => Err(self.not_now()),
        }
    }

    /// The whole ticket means every line that is made; a line that is named must be.
    fn recall(&mut self, lines: &Lines, reason: Option<&str>) -> Outcome {
        if !matches!(self.status, Status::Making | Status::Ready | Status::PickedUp) {
            return Err(self.not_now());
        }
        let chosen = match lines {
            Lines::All => self.indices(|line| line.state == LineState::Ready),
            Lines::Only(ids) => self.named(ids)?,
        };
        for &line in &chosen {
            let TicketLine { ordered, state, recalled } = &self.lines[line];
            match state {
                LineState::Waiting if !recalled => return Err(Refusal::LineNotMade(ordered.line_id)),
                LineState::Rejected => return Err(Refusal::LineRejected(ordered.line_id)),
                LineState::Waiting | LineState::Ready => {}
            }
        }
        let made: Vec<usize> =
            chosen.into_iter().filter(|&line| self.lines[line].state == LineState::Ready).collect();
        if made.is_empty() {
            // The whole ticket, of which nothing was ever made, has not been recalled before.
            let repeated = self.lines.iter().any(|line| line.recalled && line.state == LineState::Waiting);
            return if repeated { Ok(Transition::AlreadyDone) } else { Err(self.not_now()) };
        }
        for &line in &made {
            self.lines[line].state = LineState::Waiting;
            self.lines[line].recalled = true;
        }
        self.status = Status::Making;
        self.ready_at = None;
        let recalled = TicketRecalled { lines: self.ids(&made), reason: reason.map(str::to_owned) };
        Ok(Transition::Changed(vec![TicketEvent::Recalled(recalled)]))
    }

    /// The whole ticket means every line, so nothing of it may be made; a made line is recalled before it is rejected.
    fn reject(&mut self, lines: &Lines, reason: Option<&str>, now: Timestamp) -> Outcome {
        let chosen = match lines {
            Lines::All => self.indices(|_| true),
            Lines::Only(ids) => self.named(ids)?,
        };
        let waiting: Vec<usize> =
            chosen.iter().copied().filter(|&line| self.lines[line].state != LineState::Rejected).collect();
        if waiting.is_empty() {
            return Ok(Transition::AlreadyDone);
        }
        if !matches!(self.status, Status::Queued | Status::Making) {
            return Err(self.not_now());
        }
        if let Some(&made) = waiting.iter().find(|&&line| self.lines[line].state == LineState::Ready) {
            return Err(Refusal::LineMade(self.lines[made].ordered.line_id));
        }
        for &line in &waiting {
            self.lines[line].state = LineState::Rejected;
        }
        let all = self.lines.iter().all(|line| line.state == LineState::Rejected);
        let rejected = TicketRejected { lines: self.ids(&waiting), all, reason: reason.map(str::to_owned) };
        let mut said = vec![TicketEvent::Rejected(rejected)];
        if all {
            self.status = Status::Rejected;
        } else {
            self.settle(now, &mut said);
        }
        Ok(Transition::Changed(said))
    }

    /// Never an error: whoever asked is told either way.
    fn cancel(&mut self, by: Party, reason: Option<&str>) -> Transition {
        let answer = match self.status {
            Status::Queued => {
                self.status = Status::Cancelled;
                TicketEvent::Cancelled(TicketCancelled { by, reason: reason.map(str::to_owned) })
            }
            Status::Cancelled => return Transition::AlreadyDone,
            status => TicketEvent::CancelRefused(TicketCancelRefused {
                by,
                reason: format!("the ticket is {status}"),
            }),
        };
        Transition::Changed(vec![answer])
    }

    fn give_up(&mut self, patience: Duration, now: Timestamp) -> Outcome {
        match (self.status, self.ready_at) {
            (Status::Uncollected, _) => Ok(Transition::AlreadyDone),
            (Status::Ready, Some(ready_at)) if cafe_clock::since(now, ready_at) >= patience => {
                self.status = Status::Uncollected;
                Ok(Transition::Changed(vec![TicketEvent::Uncollected(TicketUncollected {})]))
            }
            _ => Err(self.not_now()),
        }
    }

    fn begin(&mut self, now: Timestamp, said: &mut Vec<TicketEvent>) {
        if self.status == Status::Queued {
            self.status = Status::Making;
            self.started_at = Some(now);
            said.push(TicketEvent::Started(TicketStarted {}));
        }
    }

    fn finish(&mut self, line: usize, said: &mut Vec<TicketEvent>) {
        self.lines[line].state = LineState::Ready;
        said.push(TicketEvent::LineReady(TicketLineReady { line_id: self.lines[line].ordered.line_id }));
    }

    /// A ticket that has started and has nothing left to make is ready.
    fn settle(&mut self, now: Timestamp, said: &mut Vec<TicketEvent>) {
        let nothing_left = self.lines.iter().all(|line| line.state != LineState::Waiting);
        if self.status == Status::Making && nothing_left {
            self.status = Status::Ready;
            self.ready_at = Some(now);
            said.push(TicketEvent::Ready(TicketReady {}));
        }
    }

    fn index(&self, line_id: LineId) -> Result<usize, Refusal> {
        self.lines.iter().position(|line| line.ordered.line_id == line_id).ok_or(Refusal::NoSuchLine(line_id))
    }

    fn indices(&self, wanted: impl Fn(&TicketLine) -> bool) -> Vec<usize> {
        (0..self.lines.len()).filter(|&line| wanted(&self.lines[line])).collect()
    }

    fn named(&self, ids: &[LineId]) -> Result<Vec<usize>, Refusal> {
        let mut lines = ids.iter().map(|id| self.index(*id)).collect::<Result<Vec<_>, _>>()?;
        lines.sort_unstable();
        lines.dedup();
        Ok(lines)
    }

    fn ids(&self, lines: &[usize]) -> Vec<LineId> {
        lines.iter().map(|&line| self.lines[line].ordered.line_id).collect()
    }

    fn not_now(&self) -> Refusal {
        let any_made = self.lines.iter().any(|line| line.state == LineState::Ready);
        Refusal::NotNow { status: self.status, possible: self.status.possible(any_made) }
    }
}

impl Status {
    /// Its name in JSON and on screens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Making => "making",
            Self::Ready => "ready",
            Self::PickedUp => "picked_up",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Uncollected => "uncollected",
        }
    }

    /// Still in the queue: somebody has to do something, or come for it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Making | Self::Ready)
    }

    fn possible(self, any_made: bool) -> &'static str {
        match self {
            Self::Queued => "start, ready, reject",
            Self::Making if any_made => "ready, recall, reject",
            Self::Making => "ready, reject",
            Self::Ready => "pick-up, recall",
            Self::PickedUp => "recall",
            Self::Rejected | Self::Cancelled | Self::Uncollected => "nothing",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
