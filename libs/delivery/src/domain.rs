//! What a service is to its turns: pure decisions on loaded rows, and the SQL that loads and writes them.

use cafe_events::{Event, Heard, OrderId, Source};
use cafe_store::{Connection, Migration, Statements};
use jiff::Timestamp;

/// The decisions of one service. Pure: everything they know is in their arguments.
pub trait Domain: Send + Sync + 'static {
    /// Who this service is.
    const SOURCE: Source;
    /// The rows of its tables that a turn has loaded.
    type Tables: Default + Send;
    /// What its HTTP side, its workers and its timers ask of it.
    type Request: Send + Sync + 'static;
    /// What they are told once the answer is on disk.
    type Answer: Send + 'static;
    /// What is to be done once the turn is on disk: wake a screen, ask a vendor. Lost when the process dies, so whatever
    /// must happen is found again from the rows.
    type Effect: Send + 'static;

    /// What the service's other replicas are told of an effect, on one line, if it concerns them: their screens show the same
    /// rows. They hear it as [`Elsewhere`], or, now and then, not at all.
    fn news_of(_effect: &Self::Effect) -> Option<String> {
        None
    }

    /// Names the rows that hearing `heard` looks at.
    fn needs_of_heard(&self, heard: &Heard, tables: &mut Self::Tables);

    /// Names the rows that answering `request` looks at.
    fn needs_of_request(&self, request: &Self::Request, tables: &mut Self::Tables);

    /// Takes in what another service said. It is heard exactly once and in the order of its versions; the caller sees to
    /// that. An error changes nothing, will repeat however often it is tried, and sets the event aside.
    fn hear(
        &self,
        tables: &mut Self::Tables,
        heard: &Heard,
        now: Timestamp,
        turn: &mut Turn<Self::Effect>,
    ) -> Result<(), Poison>;

    /// Answers a request. An answer that is a refusal changes nothing.
    fn decide(
        &self,
        tables: &mut Self::Tables,
        request: &Self::Request,
        now: Timestamp,
        turn: &mut Turn<Self::Effect>,
    ) -> Self::Answer;
}

/// Where a service keeps its rows. Every SQL statement of an app is in the file that implements this.
pub trait Tables: Domain {
    /// The app's own tables, oldest migration first.
    const MIGRATIONS: &'static [Migration];

    /// Every statement of the app: a test prepares each on every database.
    const STATEMENTS: Statements;

    /// Loads every row that is wanted.
    fn load(db: &mut Connection, tables: &mut Self::Tables) -> Result<(), cafe_store::Error>;

    /// Writes every row that changed.
    fn write(db: &mut Connection, tables: &Self::Tables) -> Result<(), cafe_store::Error>;
}

/// Something that another replica of this service did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere<'a> {
    /// As [`Domain::news_of`] told it.
    Said(&'a str),
    /// Anything may have happened: look at the rows.
    Missed,
}

/// What is called when something has happened.
pub struct Hooks<Effect> {
    pub(crate) on_commit: Box<dyn Fn(Effect) + Send>,
    pub(crate) on_elsewhere: Box<dyn Fn(Elsewhere<'_>) + Send>,
}

impl<Effect> Hooks<Effect> {
    /// `on_commit` runs on the writer's thread after each commit: it must not wait.
    pub fn new(on_commit: impl Fn(Effect) + Send + 'static) -> Self {
        Self { on_commit: Box::new(on_commit), on_elsewhere: Box::new(|_| {}) }
    }

    /// `on_elsewhere` runs when another replica did something. It must not wait either.
    #[must_use]
    pub fn elsewhere(self, on_elsewhere: impl Fn(Elsewhere<'_>) + Send + 'static) -> Self {
        Self { on_elsewhere: Box::new(on_elsewhere), ..self }
    }
}

/// What a turn brings about besides changed rows.
#[derive(Debug)]
pub struct Turn<Effect> {
    pub(crate) announced: Vec<Announcement>,
    pub(crate) effects: Vec<Effect>,
}

/// An event that is committed with the rows it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// About which order.
    pub order_id: OrderId,
    /// The store it belongs to.
    pub store: String,
    /// Running number of what this service says about the order, from 1.
    pub version: u32,
    /// When it was decided.
    pub at: Timestamp,
    /// What is said.
    pub event: Event,
}

impl<Effect> Turn<Effect> {
    /// A turn in which nothing has happened yet.
    pub fn new() -> Self {
        Self { announced: Vec::new(), effects: Vec::new() }
    }

    /// Announces an event to whoever listens, once the turn is on disk.
    pub fn announce(&mut self, announcement: Announcement) {
        self.announced.push(announcement);
    }

    /// Asks for something to be done once the turn is on disk.
    pub fn after_commit(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// What was announced so far.
    pub fn announced(&self) -> &[Announcement] {
        &self.announced
    }

    /// What is to be done after the commit, so far.
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }
}

impl<Effect> Default for Turn<Effect> {
    fn default() -> Self {
        Self::new()
    }
}

/// Why an event can never be taken in as things stand. It is set aside for a person to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Poison(pub String);
