//! The turn of a service, pure: inputs are decided one after the other on loaded rows. What comes out is committed together.
//!
//! A turn is: load(keys) -> decide -> write. This file is the middle of it, and the only place where an event is found to be
//! done already, in turn, too early, or poisonous.

use std::collections::BTreeSet;
use std::fmt;

use cafe_events::{Heard, OrderId, Record, Said, Source, Unreadable};
use jiff::Timestamp;

use crate::domain::{Announcement, Domain, Turn};
use crate::ledger::{HeardRow, HeldSlot, Ledger, Parked, claim, contradicting};

/// Something a service is to take in.
#[derive(Debug)]
pub enum Input<'a, R> {
    /// From its own HTTP side, workers or timers.
    Request {
        /// What is asked.
        request: &'a R,
        /// Trace context to pass on.
        traceparent: Option<&'a str>,
    },
    /// From another service.
    Heard(&'a Arrived),
    /// Take in a set-aside event again.
    Retry(&'a Arrived),
    /// Forget a set-aside event; its order goes on without it.
    Drop(&'a Arrived),
}

/// A record as it arrived, read once.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// On whose topic.
    pub source: Source,
    /// As it came.
    pub record: Record,
    /// As it was read.
    pub read: Result<Heard, Unreadable>,
    /// What it is called on the list of set-aside events, if not by its own id.
    name: Option<String>,
}

/// What became of an input, once the turn is on disk.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<A> {
    /// To a request.
    Answer(A),
    /// Taken in, held, done already, or set aside.
    Heard,
    /// To a retry or drop.
    Parked(ParkedOutcome),
}

/// What became of a set-aside event that was retried or dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParkedOutcome {
    /// It is off the list.
    Done,
    /// It stays on the list, for this reason.
    StillRefused(String),
    /// There is none under that number.
    NotFound,
}

/// Everything that a turn brings about, besides changed rows.
#[derive(Debug)]
pub struct Decided<D: Domain> {
    /// One per input, in order.
    pub outputs: Vec<Output<D::Answer>>,
    /// To be appended to the outbox, in order.
    pub records: Vec<Record>,
    /// To be done after the commit.
    pub effects: Vec<D::Effect>,
    /// How many events contradicted what their source had said before.
    pub contradictions: u64,
}

impl Arrived {
    /// Reads a record that arrived on `source`'s topic.
    pub fn new(source: Source, record: Record) -> Self {
        let place = record.position;
        Self::found_at(source, record, place)
    }

    /// The same, found at `place`, which nothing else is ever found at: what has no id of ours is called after it.
    pub fn found_at(source: Source, record: Record, place: impl fmt::Display) -> Self {
        let read = record.read(source);
        let is_nameless = read.is_err() && claim(source, &record).is_none();
        Self { source, record, read, name: is_nameless.then(|| format!("{source}@{place}")) }
    }

    /// A record that was set aside, read again.
    pub fn again(parked: &Parked) -> Self {
        Self { name: Some(parked.event.clone()), ..Self::new(parked.source, parked.record()) }
    }

    /// What it causes is caused by where its record stands in the trace now.
    pub(crate) fn is_step_of_its_trace(&mut self) {
        if let Ok(heard) = &mut self.read {
            heard.traceparent.clone_from(&self.record.traceparent);
        }
    }

    fn claim(&self) -> Option<(OrderId, u32)> {
        claim(self.source, &self.record)
    }

    /// The same for the same event, however often it comes.
    fn event(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.record.id(self.source))
    }

    /// Whether it was set aside because another was heard in its place.
    fn is_contradiction(&self) -> bool {
        self.name.as_ref().is_some_and(|name| *name == contradicting(&self.record.id(self.source)))
    }
}

/// Names the ledger's rows that the inputs look at.
pub fn needs_of_ledger<R>(inputs: &[Input<'_, R>], ledger: &mut Ledger) {
    for arrived in inputs.iter().filter_map(arrived) {
        if let Some((order_id, _)) = arrived.claim() {
            ledger.heard.need((order_id, arrived.source));
        }
    }
}

/// Names the service's rows that the inputs, and what is held behind them, look at.
pub fn needs_of_domain<D: Domain>(
    domain: &D,
    inputs: &[Input<'_, D::Request>],
    ledger: &Ledger,
    tables: &mut D::Tables,
) {
    let mut moving = BTreeSet::new();
    for input in inputs {
        match input {
            Input::Request { request, .. } => domain.needs_of_request(request, tables),
            Input::Heard(Arrived { read: Ok(heard), .. }) | Input::Retry(Arrived { read: Ok(heard), .. }) => {
                domain.needs_of_heard(heard, tables);
                moving.insert((heard.order_id, heard.source));
            }
            Input::Drop(dropped) => {
                moving.extend(dropped.claim().map(|(order_id, _)| (order_id, dropped.source)));
            }
            Input::Heard(_) | Input::Retry(_) => {}
        }
    }
    // What is only set aside moves nothing, and must not fail on the rows of its order.
    for ((order_id, source, _), slot) in &ledger.held {
        if moving.contains(&(*order_id, *source)) {
            domain.needs_of_heard(&slot.heard, tables);
        }
    }
}

/// Decides every input in order.
pub fn decide<D: Domain>(
    domain: &D,
    inputs: &[Input<'_, D::Request>],
    ledger: &mut Ledger,
    tables: &mut D::Tables,
    now: Timestamp,
) -> Decided<D> {
    let mut deciding = Deciding {
        domain,
        ledger,
        tables,
        now,
        decided: Decided {
            outputs: Vec::with_capacity(inputs.len()),
            records: Vec::new(),
            effects: Vec::new(),
            contradictions: 0,
        },
    };
    for input in inputs {
        let output = match input {
            Input::Request { request, traceparent } => deciding.request(request, *traceparent),
            Input::Heard(arrived) => {
                deciding.arrive(arrived);
                Output::Heard
            }
            Input::Retry(arrived) => Output::Parked(deciding.retry(arrived)),
            Input::Drop(arrived) => Output::Parked(deciding.forget(arrived)),
        };
        deciding.decided.outputs.push(output);
    }
    deciding.decided
}

struct Deciding<'a, D: Domain> {
    domain: &'a D,
    ledger: &'a mut Ledger,
    tables: &'a mut D::Tables,
    now: Timestamp,
    decided: Decided<D>,
}

/// How an event was taken in.
enum Taken {
    /// Now, earlier, or it waits for its turn.
    Fine,
    /// It was set aside, for this reason.
    Aside(String),
}

impl<D: Domain> Deciding<'_, D> {
    fn request(&mut self, request: &D::Request, traceparent: Option<&str>) -> Output<D::Answer> {
        let mut turn = Turn::new();
        let answer = self.domain.decide(self.tables, request, self.now, &mut turn);
        self.keep(turn, traceparent);
        Output::Answer(answer)
    }

    fn arrive(&mut self, arrived: &Arrived) -> Taken {
        match &arrived.read {
            Ok(heard) => self.hear(heard, &arrived.record),
            Err(unreadable) => self.unreadable(arrived, unreadable),
        }
    }

    /// Below is done, equal is applied, above is held.
    fn hear(&mut self, heard: &Heard, record: &Record) -> Taken {
        let key = (heard.order_id, heard.source);
        let mut row = self.ledger.heard.get(&key).cloned().unwrap_or_default();
        if heard.version < row.next_version {
            return self.heard_before(heard, record, &row);
        }
        if heard.version > row.next_version {
            return self.hold(heard, record, row);
        }
        if let Err(reason) = self.apply(heard) {
            return self.set_aside(record.id(heard.source), heard.source, record, reason);
        }
        if self.ledger.any_parked {
            self.ledger.unparked.push(record.id(heard.source));
        }
        row.advance(heard.hash);
        self.ledger.heard.put(key, row);
        self.drain(key);
        Taken::Fine
    }

    fn heard_before(&mut self, heard: &Heard, record: &Record, row: &HeardRow) -> Taken {
        match row.hash_of(heard.version) {
            Some(hash) if hash != heard.hash => self.contradict(heard, record),
            _ => Taken::Fine,
        }
    }

    /// What stands already stands, taken in or held: which of the two is true, a person must say.
    fn contradict(&mut self, heard: &Heard, record: &Record) -> Taken {
        self.decided.contradictions += 1;
        let reason = format!(
            "{} says otherwise than before in version {}: was it restored from an older copy?",
            heard.source, heard.version
        );
        self.set_aside(contradicting(&record.id(heard.source)), heard.source, record, reason)
    }

    fn hold(&mut self, heard: &Heard, record: &Record, mut row: HeardRow) -> Taken {
        let key = (heard.order_id, heard.source, heard.version);
        if let Some(held) = self.ledger.held.get(&key).filter(|slot| slot.keep) {
            return if held.heard.hash == heard.hash { Taken::Fine } else { self.contradict(heard, record) };
        }
        let stored = self.ledger.held.get(&key).is_some_and(|slot| slot.stored);
        let slot = HeldSlot { record: record.clone(), heard: heard.clone(), stored, keep: true };
        self.ledger.held.insert(key, slot);
        row.held += 1;
        self.ledger.heard.put((heard.order_id, heard.source), row);
        Taken::Fine
    }

    /// Takes in what was held for as long as the next version is there.
    fn drain(&mut self, (order_id, source): (OrderId, Source)) {
        loop {
            let Some(mut row) = self.ledger.heard.get(&(order_id, source)).cloned() else { return };
            let Some(slot) =
                self.ledger.held.get_mut(&(order_id, source, row.next_version)).filter(|slot| slot.keep)
            else {
                return;
            };
            slot.keep = false;
            let (heard, record) = (slot.heard.clone(), slot.record.clone());
            row.held = row.held.saturating_sub(1);
            let applied = self.apply(&heard);
            if applied.is_ok() {
                row.advance(heard.hash);
            }
            self.ledger.heard.put((order_id, source), row);
            if let Err(reason) = applied {
                self.set_aside(record.id(source), source, &record, reason);
                return;
            }
        }
    }

    fn apply(&mut self, heard: &Heard) -> Result<(), String> {
        if heard.said == Said::Unknown {
            return Ok(());
        }
        let mut turn = Turn::new();
        self.domain.hear(self.tables, heard, self.now, &mut turn).map_err(|poison| poison.0)?;
        self.keep(turn, heard.traceparent.as_deref());
        Ok(())
    }

    fn unreadable(&mut self, arrived: &Arrived, unreadable: &Unreadable) -> Taken {
        if let (Some((order_id, version)), Unreadable::Malformed { .. }) = (arrived.claim(), unreadable) {
            let row = self.ledger.heard.get(&(order_id, arrived.source)).cloned().unwrap_or_default();
            if version < row.next_version {
                return Taken::Fine;
            }
        }
        self.set_aside(arrived.event(), arrived.source, &arrived.record, unreadable.to_string())
    }

    fn set_aside(&mut self, event: String, source: Source, record: &Record, reason: String) -> Taken {
        self.ledger.unparked.retain(|settled| *settled != event);
        let claimed = claim(source, record).is_some();
        let parked = Parked {
            id: 0,
            event: event.clone(),
            source,
            position: record.position,
            order_id: claimed.then(|| record.order_id.clone()),
            version: claimed.then_some(record.version),
            kind: record.kind.clone(),
            at_ms: record.at_ms,
            body: record.body.clone(),
            traceparent: record.traceparent.clone(),
            reason: reason.clone(),
            parked_at_ms: self.now.as_millisecond(),
        };
        self.ledger.parked.insert(event, parked);
        Taken::Aside(reason)
    }

    fn retry(&mut self, arrived: &Arrived) -> ParkedOutcome {
        match self.arrive(arrived) {
            Taken::Fine => {
                self.settle(arrived);
                ParkedOutcome::Done
            }
            Taken::Aside(reason) => ParkedOutcome::StillRefused(reason),
        }
    }

    /// Moves the order on without the event, if it waits for it, and takes in what was held behind it.
    fn forget(&mut self, arrived: &Arrived) -> ParkedOutcome {
        if let Some((order_id, version)) = arrived.claim().filter(|_| !arrived.is_contradiction()) {
            let key = (order_id, arrived.source);
            let mut row = self.ledger.heard.get(&key).cloned().unwrap_or_default();
            if row.next_version < version {
                let reason = format!("version {} of the same order comes first", row.next_version);
                return ParkedOutcome::StillRefused(reason);
            }
            if row.next_version == version {
                row.advance(cafe_events::content_hash(&arrived.record.kind, &arrived.record.body));
                self.ledger.heard.put(key, row);
                self.drain(key);
            }
        }
        self.settle(arrived);
        ParkedOutcome::Done
    }

    fn settle(&mut self, arrived: &Arrived) {
        self.ledger.unparked.push(arrived.event());
    }

    fn keep(&mut self, turn: Turn<D::Effect>, traceparent: Option<&str>) {
        for Announcement { order_id, store, version, at, event } in turn.announced {
            let traceparent = traceparent.map(str::to_owned);
            self.decided.records.push(Record::write(&event, order_id, &store, version, at, traceparent));
        }
        self.decided.effects.extend(turn.effects);
    }
}

fn arrived<'a, R>(input: &Input<'a, R>) -> Option<&'a Arrived> {
    match input {
        Input::Request { .. } => None,
        Input::Heard(arrived) | Input::Retry(arrived) | Input::Drop(arrived) => Some(arrived),
    }
}
