//! One broker, which is a controller of its cluster as well.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cafe_clock::Ids;
use rustix::process::Signal;

use super::java::{BOOTSTRAP, Programs};
use crate::port::Port;
use crate::process::{self, Launch, Process};
use crate::proxy::Proxy;

/// An orderly end, which hands leaderships over. Without a majority of controllers it never comes.
const STOPPED: Duration = Duration::from_secs(10);

/// The same for every broker.
const SETTINGS: [(&str, &str); 14] = [
    ("process.roles", "broker,controller"),
    ("controller.listener.names", "CONTROLLER"),
    ("inter.broker.listener.name", "BROKER"),
    ("listener.security.protocol.map", "CLIENT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT"),
    ("auto.create.topics.enable", "false"),
    ("group.initial.rebalance.delay.ms", "0"),
    // A broker that was killed may come back only when its session has ended: 9 s by default.
    ("broker.session.timeout.ms", "3000"),
    ("broker.heartbeat.interval.ms", "500"),
    ("offsets.topic.num.partitions", "3"),
    ("transaction.state.log.num.partitions", "3"),
    ("share.coordinator.state.topic.num.partitions", "3"),
    // 128 MB by default, which is a third of the heap.
    ("log.cleaner.dedupe.buffer.size", "4194304"),
    ("num.network.threads", "2"),
    ("num.io.threads", "4"),
];

#[derive(Debug)]
pub(super) struct Broker {
    pub(super) id: i32,
    process: Option<Process>,
    frozen: bool,
    client: Port,
    between: Port,
    controller: Port,
    proxy: Option<Proxy>,
    /// Everything of it: settings, log, log folder.
    folder: PathBuf,
}

impl Broker {
    pub(super) fn new(id: i32, folder: PathBuf, proxied: bool) -> Result<Self> {
        let client = Port::free()?;
        let proxy = if proxied { Some(Proxy::to(client.address())?) } else { None };
        fs::create_dir(&folder)?;
        Ok(Self {
            id,
            process: None,
            frozen: false,
            client,
            between: Port::free()?,
            controller: Port::free()?,
            proxy,
            folder,
        })
    }

    /// As `controller.quorum.voters` names it.
    pub(super) fn voter(&self) -> String {
        format!("{}@{}", self.id, self.controller.address())
    }

    /// Where clients find it.
    pub(super) fn advertised(&self) -> String {
        let port = self.proxy.as_ref().map_or(self.client.number(), Proxy::port);
        format!("127.0.0.1:{port}")
    }

    /// Where other brokers find it, past any proxy.
    pub(super) fn direct(&self) -> u16 {
        self.between.number()
    }

    pub(super) fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    pub(super) fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    pub(super) fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// Whether it can be expected to answer. An error if it has ended by itself.
    pub(super) fn is_running(&mut self) -> Result<bool> {
        let Some(process) = &mut self.process else { return Ok(false) };
        process.demand_running().with_context(|| format!("broker {}", self.id))?;
        Ok(!self.frozen)
    }

    /// `further` settings come last, and so win.
    pub(super) fn configure(&self, voters: &str, replication: usize, further: &[(&str, &str)]) -> Result<()> {
        let (client, between, controller) =
            (self.client.address(), self.between.address(), self.controller.address());
        let mut text = format!(
            "node.id={}\ncontroller.quorum.voters={voters}\nlog.dirs={}\n\
             listeners=CLIENT://{client},BROKER://{between},CONTROLLER://{controller}\n\
             advertised.listeners=CLIENT://{},BROKER://{between}\n",
            self.id,
            self.logs().display(),
            self.advertised()
        );
        for topic in ["offsets.topic", "transaction.state.log", "share.coordinator.state.topic"] {
            writeln!(text, "{topic}.replication.factor={replication}")?;
        }
        let in_sync = replication.div_ceil(2);
        for topic in ["transaction.state.log", "share.coordinator.state.topic"] {
            writeln!(text, "{topic}.min.isr={in_sync}")?;
        }
        for (name, value) in SETTINGS.iter().chain(further) {
            writeln!(text, "{name}={value}")?;
        }
        Ok(fs::write(self.settings(), text)?)
    }

    /// Makes its log folder empty, as `kafka-storage.sh format` does.
    pub(super) fn format(&self, cluster: &str, programs: &Programs) -> Result<()> {
        ensure!(self.process.is_none(), "broker {} is running", self.id);
        if self.logs().exists() {
            fs::remove_dir_all(self.logs())?;
        }
        fs::create_dir(self.logs())?;
        fs::copy(programs.bootstrap(), self.logs().join(BOOTSTRAP))?;
        let (node, folder) = (self.id, random_id());
        let identity = format!("version=1\ncluster.id={cluster}\nnode.id={node}\ndirectory.id={folder}\n");
        Ok(fs::write(self.logs().join("meta.properties"), identity)?)
    }

    pub(super) fn start(&mut self, programs: &Programs) -> Result<()> {
        ensure!(self.process.is_none(), "broker {} is running", self.id);
        self.process = Some(Process::start(&Launch {
            program: &programs.java,
            arguments: programs.arguments("kafka.Kafka", &[&self.settings()]),
            user: None,
            last_signal: "KILL",
            folder: &self.folder,
            log: self.folder.join("kafka.log"),
        })?);
        Ok(())
    }

    pub(super) fn kill(&mut self) {
        self.frozen = false;
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Ends it in an orderly way if it can; else it is killed.
    pub(super) fn stop(&mut self) {
        if !self.frozen {
            let _ = self.end(STOPPED);
        }
        self.kill();
    }

    /// Ends it in an orderly way, however long it takes up to `patience`.
    pub(super) fn end(&mut self, patience: Duration) -> Result<()> {
        self.process.as_mut().map_or(Ok(()), |process| process.stop(Signal::TERM, patience))
    }

    pub(super) fn freeze(&mut self) -> Result<()> {
        let process = self.process.as_ref().with_context(|| format!("broker {} is not running", self.id))?;
        process::freeze(&[process.id()])?;
        self.frozen = true;
        Ok(())
    }

    pub(super) fn thaw(&mut self) -> Result<()> {
        ensure!(self.frozen, "broker {} is not frozen", self.id);
        self.process.iter().for_each(|process| process.signal(Signal::CONT));
        self.frozen = false;
        Ok(())
    }

    fn settings(&self) -> PathBuf {
        self.folder.join("server.properties")
    }
}

/// An id as Kafka writes them: 16 bytes in base 64.
pub(super) fn random_id() -> String {
    let mut bytes = [0; 16];
    Ids::random().fill(&mut bytes);
    // An id that begins with a dash is taken for a flag by Kafka's tools.
    bytes[0] &= 0x7f;
    URL_SAFE_NO_PAD.encode(bytes)
}
