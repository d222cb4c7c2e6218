//! What a cafe stands on: its folder alone, or servers as well.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use cafe_rig::{Kafka, Postgres};

use crate::Service;

/// How far up the ladder a cafe stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// Files, and services that read each other's.
    Embedded,
    /// Databases on a server, and services that read each other's.
    Postgres,
    /// Files, and Kafka between the services.
    Kafka,
    /// Databases on a server, and Kafka between the services.
    Chain,
}

/// Where a cafe's databases are, and what carries its events. By default it has its folder and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The address of the database's server.
    pub database: Option<String>,
    /// Brokers of Kafka.
    pub kafka: Option<String>,
}

/// One of each for all cafes of this process that do them no harm; they end with it.
static POSTGRES: LazyLock<Postgres> = LazyLock::new(|| Postgres::start().expect("PostgreSQL starts"));
static KAFKA: LazyLock<Kafka> = LazyLock::new(|| Kafka::start(1).expect("Kafka starts"));

impl Rung {
    /// A site on the servers that this process's cafes share, with nothing there yet. No other cafe may be at work: there is
    /// one set of topics, and it is made anew.
    pub fn site(self) -> Site {
        Site {
            database: matches!(self, Self::Postgres | Self::Chain).then(new_database),
            kafka: matches!(self, Self::Kafka | Self::Chain).then(emptied_kafka),
        }
    }
}

impl Site {
    /// On servers of a test's own, which is free to harm them.
    pub fn of(postgres: Option<&Postgres>, kafka: Option<&Kafka>) -> Self {
        Self { database: postgres.map(Postgres::url), kafka: kafka.map(Kafka::bootstrap) }
    }

    /// As the command line has it.
    pub fn flags(&self) -> Vec<String> {
        let database = self.database.iter().flat_map(|url| ["--database".to_owned(), url.clone()]);
        let kafka = self.kafka.iter().flat_map(|brokers| ["--kafka".to_owned(), brokers.clone()]);
        database.chain(kafka).collect()
    }

    /// Runs SQL in the database, as `psql` does, on the server that this process's cafes share.
    ///
    /// # Panics
    /// If there is no such server, or it refuses.
    pub fn sql(&self, sql: &str) -> String {
        let url = self.database.as_deref().expect("this cafe's databases are on a server");
        POSTGRES.psql_at(url, sql).unwrap_or_else(|failure| panic!("{sql}: {failure:#}"))
    }
}

fn new_database() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let name = format!("cafe_{}", MADE.fetch_add(1, Ordering::Relaxed));
    POSTGRES.psql(&format!("CREATE DATABASE {name}")).expect("a database can be made");
    let url = POSTGRES.url();
    let (server, _) = url.rsplit_once('/').expect("an address names a database");
    format!("{server}/{name}")
}

/// To remove three topics takes a fraction of what a broker takes to start.
fn emptied_kafka() -> String {
    for service in Service::ALL {
        // The first cafe finds none.
        if KAFKA.end_offset(service.name(), 0).is_ok() {
            KAFKA.delete_topic(service.name()).expect("a topic can be removed");
        }
    }
    KAFKA.bootstrap()
}
