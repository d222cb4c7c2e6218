//! What an order takes of disks and of the network between the services and their servers.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use cafe_rig::Kafka;
use cafe_system_tests::Cafe;

use super::cycle::{queued, wait_until_drained};
use super::figures::{Figures, figure};
use super::ground::Ground;
use super::load;

/// Orders come at this rate: neither one by one nor as many together as there can be.
const RATE: u32 = 200;
const LENGTH: Duration = Duration::from_secs(10);
/// What a record of `ss` gives of a connection, both ways.
const COUNTERS: [&str; 2] = ["bytes_sent:", "bytes_received:"];

/// Bytes so far.
#[derive(Clone, Copy, Debug, Default)]
struct Bytes {
    /// In the tables and indexes of the database.
    tables: f64,
    /// In the write-ahead log.
    log: f64,
    /// In the topics.
    topics: f64,
    /// Between the services and the database's server.
    to_postgres: f64,
    /// Between the services and the brokers.
    to_kafka: f64,
}

pub(crate) fn measure(ground: &Ground, cafe: &Cafe, figures: &mut Figures) -> Result<()> {
    if ground.is_embedded() {
        return Ok(());
    }
    let (before, orders_before) = (Bytes::of(ground)?, queued(cafe)?);
    let mut request = load::Request::new();
    let request = std::cell::RefCell::new(&mut request);
    load::open(load::shop(cafe).port, RATE, LENGTH, |key| request.borrow_mut().keyed(key).to_vec())?;
    wait_until_drained(cafe);
    let (after, orders) = (Bytes::of(ground)?, (queued(cafe)? - orders_before) as f64);
    let mut add = |what: &str, of: fn(&Bytes) -> f64| {
        let name = format!("bytes per order at {RATE}/s: {what}");
        figures.add(figure(name, (of(&after) - of(&before)) / orders, "B"));
    };
    if ground.postgres.is_some() {
        add("tables and indexes", |bytes| bytes.tables);
        add("write-ahead log", |bytes| bytes.log);
        add("to and from PostgreSQL", |bytes| bytes.to_postgres);
    }
    if ground.kafka.is_some() {
        add("in topics, each replica", |bytes| bytes.topics);
        add("to and from Kafka", |bytes| bytes.to_kafka);
    }
    Ok(())
}

impl Bytes {
    fn of(ground: &Ground) -> Result<Self> {
        let mut bytes = Self::default();
        if let Some(postgres) = &ground.postgres {
            let sizes = "SELECT pg_database_size(current_database()), pg_current_wal_lsn() - '0/0'";
            let answer = ground.psql(sizes)?;
            let (tables, log) = answer.split_once('|').context("two columns")?;
            (bytes.tables, bytes.log) = (tables.parse()?, log.parse()?);
            bytes.to_postgres = carried(postgres.port())?;
        }
        if let Some(kafka) = &ground.kafka {
            bytes.topics = in_topics(kafka)?;
            bytes.to_kafka = carried(port_of(kafka)?)?;
        }
        Ok(bytes)
    }
}

fn port_of(kafka: &Kafka) -> Result<u16> {
    let bootstrap = kafka.bootstrap();
    let port = bootstrap.split(',').next().and_then(|broker| broker.rsplit(':').next());
    port.and_then(|port| port.parse().ok()).context("a broker has a port")
}

/// Bytes that the kernel counted on the connections that were accepted on this port and are open, both ways.
fn carried(port: u16) -> Result<f64> {
    let ours = format!("( sport = :{port} )");
    let output = Command::new("ss").args(["-tniH", "state", "established", &ours]).output()?;
    Ok(counted(&String::from_utf8_lossy(&output.stdout)))
}

fn counted(said: &str) -> f64 {
    let counter = |word: &str| COUNTERS.iter().find_map(|name| word.strip_prefix(name)?.parse::<f64>().ok());
    said.split_whitespace().filter_map(counter).sum()
}

/// As the brokers count it.
fn in_topics(kafka: &Kafka) -> Result<f64> {
    let mut tool = kafka.tool("org.apache.kafka.tools.LogDirsCommand");
    tool.args([
        "--bootstrap-server",
        &kafka.bootstrap(),
        "--describe",
        "--topic-list",
        "order,payment,barista",
    ]);
    let output = tool.output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let line =
        said.lines().find(|line| line.starts_with('{')).context("Kafka tells the sizes of its logs")?;
    let told: serde_json::Value = serde_json::from_str(line)?;
    let brokers = told["brokers"].as_array().into_iter().flatten();
    let folders = brokers.flat_map(|broker| broker["logDirs"].as_array().into_iter().flatten());
    let partitions = folders.flat_map(|folder| folder["partitions"].as_array().into_iter().flatten());
    Ok(partitions.filter_map(|partition| partition["size"].as_f64()).sum())
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn what_was_carried_is_summed_over_connections_and_both_ways() {
        let said = "0 0 127.0.0.1:5432 127.0.0.1:40000\n\t cubic rto:201 bytes_sent:10 bytes_acked:10 bytes_received:5\n\
                    0 0 127.0.0.1:5432 127.0.0.1:40001\n\t cubic bytes_sent:1 bytes_received:2\n";
        assert!((counted(said) - 18.0).abs() < f64::EPSILON);
    }
}
