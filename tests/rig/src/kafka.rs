//! Kafka in a folder of its own: one broker or several, each a controller as well (`KRaft`), without passwords.

mod broker;
mod java;
mod kcat;
mod tail;
mod wire;

use std::fs;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::certificate::Certificate;
use crate::folder::Folder;
use crate::machine;
use crate::proxy::Proxy;
use crate::wait::wait_for;
use broker::{Broker, random_id};
use java::{Programs, Thrift};
use tail::Segment;
use wire::Metadata;

pub use kcat::kcat;

/// What a start takes at most: recovery after a kill and the end of the last session included, on a machine that is busy.
const STARTED: Duration = Duration::from_mins(2);

/// A cluster. Dropping it ends every process of it.
#[derive(Debug)]
pub struct Kafka {
    brokers: Vec<Mutex<Broker>>,
    cluster: String,
    programs: Programs,
    _folder: Folder,
}

impl Kafka {
    /// Starts so many brokers (1 or 3) and waits until they work.
    ///
    /// # Errors
    /// If Java or Maven is missing and cannot be installed, Kafka cannot be fetched, or does not start.
    pub fn start(brokers: usize) -> Result<Self> {
        Self::with(brokers, &[])
    }

    /// The same, with further settings of `server.properties`.
    pub fn with(brokers: usize, settings: &[(&str, &str)]) -> Result<Self> {
        Self::new(brokers, settings, false)
    }

    /// The same, every byte between clients and brokers going through [`Kafka::proxy`]; the brokers speak to each other
    /// directly.
    pub fn behind_proxies(brokers: usize) -> Result<Self> {
        Self::new(brokers, &[], true)
    }

    /// One broker that clients reach over TLS with a password (SCRAM-SHA-512), and in no other way.
    pub fn guarded(certificate: &Certificate, (user, password): (&str, &str)) -> Result<Self> {
        let keys = certificate.both()?.display().to_string();
        let scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
        let kafka = Self::with(
            1,
            &[
                ("listener.security.protocol.map", "CLIENT:SASL_SSL,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT"),
                ("listener.name.client.ssl.keystore.type", "PEM"),
                ("listener.name.client.ssl.keystore.location", &keys),
                ("listener.name.client.sasl.enabled.mechanisms", "SCRAM-SHA-512"),
                ("listener.name.client.scram-sha-512.sasl.jaas.config", scram),
            ],
        )?;
        let mut set = kafka.tool("kafka.admin.ConfigCommand");
        set.args(["--bootstrap-server", &kafka.bootstrap_directly(), "--alter", "--entity-type", "users"]);
        set.args(["--entity-name", user, "--add-config", &format!("SCRAM-SHA-512=[password={password}]")]);
        let output = set.output().context("Java does not start")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the user {user} cannot be made: {}", said.trim());
        Ok(kafka)
    }

    /// The same, its Java told to last and not to start quickly, for those who measure: more memory, all of its compilers.
    pub fn for_load(brokers: usize) -> Result<Self> {
        Self::of(prepared(Thrift::Lasting)?, brokers, &[], false)
    }

    fn new(brokers: usize, settings: &[(&str, &str)], proxied: bool) -> Result<Self> {
        Self::of(prepared(Thrift::Quick)?, brokers, settings, proxied)
    }

    fn of(programs: Programs, count: usize, settings: &[(&str, &str)], proxied: bool) -> Result<Self> {
        ensure!(count >= 1, "a cluster has a broker");
        let folder = Folder::new()?;
        let new =
            |at: usize| Broker::new(at as i32 + 1, folder.path().join(format!("broker-{}", at + 1)), proxied);
        let brokers: Vec<_> = (0..count).map(new).collect::<Result<_>>()?;
        let voters: Vec<_> = brokers.iter().map(Broker::voter).collect();
        let cluster = random_id();
        for broker in &brokers {
            broker.configure(&voters.join(","), count.min(3), settings)?;
            broker.format(&cluster, &programs)?;
        }
        let brokers = brokers.into_iter().map(Mutex::new).collect();
        let kafka = Self { brokers, cluster, programs, _folder: folder };
        kafka.restart_all()?;
        kafka.wait_until_ready()?;
        Ok(kafka)
    }

    /// Where clients begin: `127.0.0.1:port,…`.
    pub fn bootstrap(&self) -> String {
        self.each(Broker::advertised).join(",")
    }

    /// The same past any proxy, for looking at the cluster while a client cannot reach it.
    pub fn bootstrap_directly(&self) -> String {
        self.each(|broker| format!("127.0.0.1:{}", broker.direct())).join(",")
    }

    /// Calls `act` with the proxy before a broker.
    ///
    /// # Errors
    /// If the cluster is not behind proxies.
    pub fn proxy<T>(&self, broker: usize, act: impl FnOnce(&Proxy) -> T) -> Result<T> {
        self.broker(broker).proxy().map(act).context("this Kafka is not behind proxies")
    }

    /// The process id of a broker, if it runs.
    pub fn process_id(&self, broker: usize) -> Option<u32> {
        self.broker(broker).process().map(crate::process::Process::id)
    }

    /// One of Kafka's own command line tools, such as `org.apache.kafka.tools.TopicCommand`.
    pub fn tool(&self, class: &str) -> Command {
        let mut tool = Command::new(&self.programs.java);
        tool.args(self.programs.arguments(class, &[]));
        tool
    }

    /// Waits until every broker that was neither killed nor frozen knows the others and gets what it needs from the
    /// controller; if all brokers run, also until every partition has a leader.
    ///
    /// # Errors
    /// If a broker has ended by itself, with the end of its log; or after two minutes.
    pub fn wait_until_ready(&self) -> Result<()> {
        wait_for(STARTED, "Kafka works", || {
            let running = self.running()?;
            ensure!(!running.is_empty(), "no broker runs");
            Ok(running.iter().all(|(_, port)| self.works(*port, &running).unwrap_or(false)).then_some(()))
        })
    }

    /// Waits until every replica of every partition has all that its leader has.
    pub fn wait_until_in_sync(&self) -> Result<()> {
        self.wait_until_ready()?;
        wait_for(STARTED, "every replica is in sync", || {
            let Ok(metadata) = self.metadata() else { return Ok(None) };
            let in_sync = metadata.partitions.iter().all(|it| it.in_sync.len() == it.replicas.len());
            Ok(in_sync.then_some(()))
        })
    }

    /// `kill -9` of a broker, counted from 0.
    pub fn kill(&self, broker: usize) {
        self.broker(broker).kill();
    }

    /// `kill -9` of all brokers.
    pub fn kill_all(&self) {
        (0..self.brokers.len()).for_each(|broker| self.kill(broker));
    }

    /// Stops a broker where it stands (SIGSTOP); connections stay open and nothing answers.
    pub fn freeze(&self, broker: usize) -> Result<()> {
        self.broker(broker).freeze()
    }

    /// Lets a frozen broker go on.
    pub fn thaw(&self, broker: usize) -> Result<()> {
        self.broker(broker).thaw()
    }

    /// Starts a broker again, after a kill or in an orderly way, without waiting until it works.
    pub fn restart(&self, broker: usize) -> Result<()> {
        let mut broker = self.broker(broker);
        broker.stop();
        broker.start(&self.programs)
    }

    /// Starts all brokers again, without waiting until they work.
    pub fn restart_all(&self) -> Result<()> {
        self.stop_all();
        (0..self.brokers.len()).try_for_each(|broker| self.restart(broker))
    }

    /// A broker comes back with an empty disk, without waiting until it works.
    pub fn wipe(&self, broker: usize) -> Result<()> {
        let mut broker = self.broker(broker);
        broker.stop();
        broker.format(&self.cluster, &self.programs)?;
        broker.start(&self.programs)
    }

    /// All brokers come back with empty disks: topics, records and groups are lost.
    pub fn wipe_all(&self) -> Result<()> {
        self.kill_all();
        (0..self.brokers.len()).try_for_each(|broker| self.wipe(broker))
    }

    /// Makes a topic, and waits until every partition has a leader.
    pub fn create_topic(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) -> Result<()> {
        let replication = self.brokers.len().min(3) as i16;
        wire::create_topic(self.any_port()?, name, partitions, replication, settings)?;
        wait_for(STARTED, "the topic is there", || {
            let Ok(metadata) = self.metadata() else { return Ok(None) };
            let led = metadata.partitions.iter().filter(|it| it.topic == name && it.leader.is_some());
            Ok((led.count() == partitions as usize).then_some(()))
        })
    }

    /// Removes a topic, and waits until no running broker knows it.
    pub fn delete_topic(&self, name: &str) -> Result<()> {
        wire::delete_topic(self.any_port()?, name)?;
        wait_for(STARTED, "the topic is gone", || {
            let known =
                |port: u16| wire::metadata(port).map(|it| it.partitions.iter().any(|it| it.topic == name));
            let gone = self.running()?.iter().all(|(_, port)| known(*port).is_ok_and(|known| !known));
            Ok(gone.then_some(()))
        })
    }

    /// The offset that the next record of a partition gets.
    pub fn end_offset(&self, topic: &str, partition: i32) -> Result<i64> {
        let metadata = self.metadata()?;
        let mut partitions = metadata.partitions.iter();
        let found = partitions.find(|it| it.topic == topic && it.index == partition);
        let leader =
            found.and_then(|it| it.leader).with_context(|| format!("{topic}/{partition} has no leader"))?;
        wire::end_offset(self.broker(leader as usize - 1).direct(), topic, partition)
    }

    /// All brokers are killed, forget the last `records` records of a partition though they had acknowledged them, and start
    /// again: what power loss does to records that were not yet on disk. Answers how many are lost, which can be more, because
    /// a batch is lost as a whole.
    ///
    /// # Errors
    /// If the last segment does not have so many.
    pub fn lose_tail(&self, topic: &str, partition: i32, records: u64) -> Result<u64> {
        self.kill_all();
        let mut replicas = Vec::new();
        for logs in self.each(Broker::logs) {
            let segment = Segment::last_of(&logs.join(format!("{topic}-{partition}")))?;
            replicas.extend(segment.map(|segment| (logs, segment)));
        }
        // One that lags behind has less to lose.
        let longest = replicas.iter().map(|(_, segment)| segment).max_by_key(|segment| segment.end());
        let longest = longest.with_context(|| format!("no broker has {topic}/{partition}"))?;
        let end = longest.before_the_last(records)?;
        let lost = (longest.end() - end) as u64;
        replicas.iter().try_for_each(|(logs, segment)| segment.cut(logs, end))?;
        self.restart_all()?;
        self.wait_until_ready()?;
        Ok(lost)
    }

    /// Together, for each waits for a majority of the others.
    fn stop_all(&self) {
        std::thread::scope(|scope| {
            self.brokers.iter().for_each(|broker| drop(scope.spawn(|| lock(broker).stop())));
        });
    }

    /// The brokers that can be expected to answer, and where they do.
    fn running(&self) -> Result<Vec<(i32, u16)>> {
        let mut running = Vec::new();
        for broker in &self.brokers {
            let mut broker = lock(broker);
            if broker.is_running()? {
                running.push((broker.id, broker.direct()));
            }
        }
        Ok(running)
    }

    fn works(&self, port: u16, running: &[(i32, u16)]) -> Result<bool> {
        let metadata = wire::metadata(port)?;
        wire::producer_id(port)?;
        let knows_all = running.iter().all(|(id, _)| metadata.brokers.contains(id));
        let all_run = running.len() == self.brokers.len();
        Ok(knows_all && (!all_run || metadata.partitions.iter().all(|it| it.leader.is_some())))
    }

    fn metadata(&self) -> Result<Metadata> {
        wire::metadata(self.any_port()?)
    }

    fn any_port(&self) -> Result<u16> {
        let running = self.running()?;
        running.first().map(|(_, port)| *port).context("no broker runs")
    }

    fn each<T>(&self, look: impl Fn(&Broker) -> T) -> Vec<T> {
        self.brokers.iter().map(|broker| look(&lock(broker))).collect()
    }

    fn broker(&self, at: usize) -> MutexGuard<'_, Broker> {
        lock(&self.brokers[at])
    }
}

/// Fetches Kafka, and installs what it and a look at it need.
pub(crate) fn prepare() -> Result<()> {
    prepared(Thrift::Quick)?;
    kcat::program().map(drop)
}

/// Kafka's programs, and what Java notes of them in a first run.
fn prepared(thrift: Thrift) -> Result<Programs> {
    let programs = Programs::new(thrift)?;
    let _lock = machine::lock("classes")?;
    if !programs.classes().exists() {
        let kafka = Kafka::of(programs.noting(), 1, &[], false)?;
        kafka.create_topic("first", 1, &[])?;
        kafka.broker(0).end(STARTED)?;
        fs::rename(programs.noted(), programs.classes()).context("Java did not note its classes")?;
    }
    Ok(programs)
}

fn lock(broker: &Mutex<Broker>) -> MutexGuard<'_, Broker> {
    broker.lock().unwrap_or_else(PoisonError::into_inner)
}
