//! What the cafes that are measured stand on: their own files, or a `PostgreSQL` and a Kafka that are started for it.

use std::cell::Cell;

use anyhow::{Context, Result};
use cafe_rig::{Kafka, Postgres};
use cafe_system_tests::{Cafe, Service, proc};

/// As anybody would set a server that is used: the rig's default memory is for tests. It stays as durable.
const POSTGRES_SETTINGS: [(&str, &str); 2] = [("shared_buffers", "512MB"), ("max_wal_size", "4GB")];

/// The servers, shared by all cafes of a run; each cafe has a database and topics of its own.
pub(crate) struct Ground {
    pub(crate) postgres: Option<Postgres>,
    pub(crate) kafka: Option<Kafka>,
    cafes: Cell<u32>,
}

/// Processor time of the servers so far, in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServersCpu {
    pub(crate) postgres: f64,
    pub(crate) kafka: f64,
}

impl Ground {
    pub(crate) fn start(postgres: bool, kafka: bool) -> Result<Self> {
        let postgres = postgres.then(|| Postgres::with(&POSTGRES_SETTINGS)).transpose();
        let kafka = kafka.then(|| Kafka::for_load(1)).transpose();
        Ok(Self {
            postgres: postgres.context("PostgreSQL does not start")?,
            kafka: kafka.context("Kafka does not start")?,
            cafes: Cell::new(0),
        })
    }

    /// Whether a cafe needs nothing but its files.
    pub(crate) fn is_embedded(&self) -> bool {
        self.postgres.is_none() && self.kafka.is_none()
    }

    /// A cafe of which nothing runs yet.
    pub(crate) fn closed(&self, flags: &[&str]) -> Result<Cafe> {
        let servers = self.flags()?;
        let flags: Vec<&str> = servers.iter().map(String::as_str).chain(flags.iter().copied()).collect();
        Ok(Cafe::closed(&flags))
    }

    /// A cafe at work.
    pub(crate) fn cafe(&self, flags: &[&str]) -> Result<Cafe> {
        let mut cafe = self.closed(flags)?;
        cafe.open();
        cafe.wait_until_ready();
        Ok(cafe)
    }

    /// Where the next cafe finds its servers: a new database, and no topics. The cafe before it has ended.
    pub(crate) fn flags(&self) -> Result<Vec<String>> {
        let mut flags = Vec::new();
        if let Some(postgres) = &self.postgres {
            let (before, now) = (self.cafes.get(), self.cafes.get() + 1);
            self.cafes.set(now);
            postgres.psql(&format!("DROP DATABASE IF EXISTS cafe_{before} WITH (FORCE)"))?;
            postgres.psql(&format!("CREATE DATABASE cafe_{now}"))?;
            flags.extend(["--database".to_owned(), self.database(postgres)]);
        }
        if let Some(kafka) = &self.kafka {
            for service in Service::ALL {
                // There is none if no cafe has made it.
                let _ = kafka.delete_topic(service.name());
            }
            flags.extend(["--kafka".to_owned(), kafka.bootstrap()]);
        }
        Ok(flags)
    }

    /// The same for a cafe that the next one does not replace; without Kafka, of which there is one for all.
    pub(crate) fn flags_beside(&self) -> Result<Vec<String>> {
        let Some(postgres) = &self.postgres else { return Ok(Vec::new()) };
        self.cafes.set(self.cafes.get() + 1);
        postgres.psql(&format!("CREATE DATABASE cafe_{}", self.cafes.get()))?;
        Ok(vec!["--database".to_owned(), self.database(postgres)])
    }

    /// Runs SQL in the database of the cafe that is measured.
    pub(crate) fn psql(&self, sql: &str) -> Result<String> {
        let postgres = self.postgres.as_ref().context("there is no PostgreSQL")?;
        postgres.psql_at(&self.database(postgres), sql)
    }

    fn database(&self, postgres: &Postgres) -> String {
        let url = postgres.url();
        let server = url.rsplit_once('/').map_or(url.as_str(), |(server, _)| server);
        format!("{server}/cafe_{}", self.cafes.get())
    }

    pub(crate) fn cpu(&self) -> ServersCpu {
        let postgres = self.postgres.iter().flat_map(Postgres::process_ids).map(proc::cpu_seconds).sum();
        let kafka = self.kafka.iter().filter_map(|kafka| kafka.process_id(0)).map(proc::cpu_seconds).sum();
        ServersCpu { postgres, kafka }
    }
}
