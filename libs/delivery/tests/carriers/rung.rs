//! A place on each rung, a speaker and a listener there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use cafe_clock::{Clock, Ids};
use cafe_delivery::{
    Desk, Hooks, KafkaSettings, Outbox, ParkedOutcome, Place, Rungs, Status, Tables, TurnError, start,
};
use cafe_events::{OrderId, Source};
use cafe_rig::{Kafka, Postgres};
use cafe_store::{Connection, Error, Migration};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::toy::{Request, Toy, outbox_of_payment, words};

/// How long anything may take, on a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
/// Of a topic that a test makes.
pub(crate) const PARTITIONS: i32 = 3;

/// One for all tests that run at a time.
static POSTGRES: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
static KAFKA: Mutex<Weak<Kafka>> = Mutex::new(Weak::new());
/// Topics have one name each: whoever uses the real Kafka has it alone.
static ALONE: Mutex<()> = Mutex::new(());

pub(crate) struct Rung {
    pub(crate) place: Place,
    pub(crate) kafka: Option<Arc<Kafka>>,
    pub(crate) mock: Option<MockCluster<'static, DefaultProducerContext>>,
    runtime: Runtime,
    _folder: TempDir,
    _postgres: Option<Arc<Postgres>>,
    _alone: Option<MutexGuard<'static, ()>>,
}

impl Rung {
    pub(crate) fn files() -> Self {
        Self::new(&Rungs::default())
    }

    /// A database for each service.
    pub(crate) fn server() -> Self {
        let (postgres, database) = database();
        Self {
            _postgres: Some(postgres),
            ..Self::new(&Rungs { database: Some(database), ..Rungs::default() })
        }
    }

    /// A schema for each service in one database.
    pub(crate) fn schemas() -> Self {
        let (postgres, database) = database();
        let database = database.replace("{service}", "payment");
        Self {
            _postgres: Some(postgres),
            ..Self::new(&Rungs { database: Some(database), ..Rungs::default() })
        }
    }

    /// Databases are files.
    pub(crate) fn mock() -> Self {
        let mock = MockCluster::new(1).unwrap();
        mock.create_topic("payment", PARTITIONS, 1).unwrap();
        let rung = Self::new(&on_kafka(mock.bootstrap_servers(), None));
        Self { mock: Some(mock), ..rung }
    }

    /// The topmost: a real broker, and databases on a real server.
    pub(crate) fn kafka() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shared = KAFKA.lock().unwrap_or_else(PoisonError::into_inner);
        let kafka = shared.upgrade().unwrap_or_else(|| Arc::new(Kafka::start(1).unwrap()));
        *shared = Arc::downgrade(&kafka);
        kafka.wait_until_ready().unwrap();
        // What the last test left.
        let _ = kafka.delete_topic("payment");
        kafka.create_topic("payment", PARTITIONS, &[]).unwrap();
        let (postgres, database) = database();
        let rung = Self::new(&on_kafka(kafka.bootstrap(), Some(database)));
        Self { kafka: Some(kafka), _postgres: Some(postgres), _alone: Some(alone), ..rung }
    }

    fn new(rungs: &Rungs) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        Self {
            place: Place::on(folder.path(), rungs).unwrap(),
            kafka: None,
            mock: None,
            runtime: runtime.unwrap(),
            _folder: folder,
            _postgres: None,
            _alone: None,
        }
    }

    pub(crate) fn brokers(&self) -> String {
        self.place.kafka(Source::Payment).unwrap().brokers.clone()
    }

    pub(crate) fn is_relayed(&self) -> bool {
        self.place.kafka(Source::Payment).is_some()
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The speaker.
    pub(crate) fn payment(&self) -> Outbox {
        let _within = self.runtime.enter();
        outbox_of_payment(&self.place)
    }

    /// The listener.
    pub(crate) fn barista(&self) -> Barista<'_> {
        let stop = CancellationToken::new();
        let desk = {
            let _within = self.runtime.enter();
            start(Toy, &self.place, Clock::Real, &Ids::random(), Hooks::new(|_| {}), stop.clone()).unwrap()
        };
        let barista = Barista { desk, stop, runtime: &self.runtime };
        self.runtime.block_on(barista.desk.leads());
        barista
    }

    /// The listener's database, for whatever may happen to one.
    pub(crate) fn database_of_barista(&self) -> Connection {
        let migrations: Vec<Migration> =
            cafe_delivery::MIGRATIONS.iter().chain(Toy::MIGRATIONS).copied().collect();
        Connection::open(self.place.database(Source::Barista), &migrations).unwrap()
    }
}

fn on_kafka(brokers: String, database: Option<String>) -> Rungs {
    Rungs { database, kafka: Some(KafkaSettings { brokers, options: Vec::new() }), replica: None }
}

/// Databases of its own for each service.
fn database() -> (Arc<Postgres>, String) {
    static USED: AtomicU32 = AtomicU32::new(0);
    let mut shared = POSTGRES.lock().unwrap_or_else(PoisonError::into_inner);
    let postgres = shared.upgrade().unwrap_or_else(|| Arc::new(Postgres::start().unwrap()));
    *shared = Arc::downgrade(&postgres);
    let number = USED.fetch_add(1, Ordering::Relaxed);
    for service in ["payment", "barista"] {
        postgres.psql(&format!("CREATE DATABASE test_{number}_{service}")).unwrap();
    }
    let url = postgres.url().replace("/postgres", &format!("/test_{number}_{{service}}"));
    (postgres, url)
}

/// A listener at work. Dropping it leaves it without a word, as a kill would; [`Barista::stopped`] ends it in order.
pub(crate) struct Barista<'a> {
    desk: Desk<Toy>,
    stop: CancellationToken,
    runtime: &'a Runtime,
}

impl Barista<'_> {
    pub(crate) fn stopped(self) {
        self.stop.cancel();
        self.runtime.block_on(self.desk.stopped()).unwrap();
    }

    pub(crate) fn words(&self, order_id: OrderId) -> Vec<String> {
        let limit = Instant::now() + PATIENCE;
        loop {
            let words = self.desk.readers().read(move |db| words(db, order_id));
            match self.runtime.block_on(words) {
                // A server on a busy machine; whoever asks asks again.
                Err(Error::Busy(_)) if Instant::now() < limit => {}
                words => return words.unwrap().unwrap_or_default(),
            }
        }
    }

    pub(crate) fn until_words(&self, order_id: OrderId, expected: &[&str]) {
        until(&format!("{order_id} has {expected:?}"), || self.words(order_id) == expected);
    }

    pub(crate) fn say(&self, order_id: OrderId, word: &'static str) -> Result<usize, TurnError> {
        self.runtime.block_on(self.desk.ask(Request::Say(order_id, word), None))
    }

    pub(crate) fn status(&self) -> Status {
        self.desk.status()
    }

    /// Why nothing is heard, if it says so.
    pub(crate) fn silent(&self) -> String {
        self.status().links.first().and_then(|link| link.silent.clone()).unwrap_or_default()
    }

    pub(crate) fn position(&self) -> i64 {
        self.status().links.first().map_or(0, |link| link.position)
    }

    /// What is set aside: its number, its name and why.
    pub(crate) fn parked(&self) -> Vec<(i64, String, String)> {
        let parked = self.runtime.block_on(self.desk.parked(0, 100)).unwrap();
        parked.into_iter().map(|parked| (parked.id, parked.event, parked.reason)).collect()
    }

    pub(crate) fn retry(&self, id: i64) -> ParkedOutcome {
        self.runtime.block_on(self.desk.retry_parked(id)).unwrap()
    }

    pub(crate) fn drop_parked(&self, id: i64) -> ParkedOutcome {
        self.runtime.block_on(self.desk.drop_parked(id)).unwrap()
    }
}

impl Drop for Barista<'_> {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) fn until(what: &str, condition: impl Fn() -> bool) {
    let limit = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < limit, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
