//! Faults on Kafka and `PostgreSQL`, and of replicas beside each other.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cafe_rig::{Direction, Kafka, Postgres, Proxy};
use cafe_system_tests::{Cafe, MOMENT, ROBOT, Rush, Service, Site, wait_until};
use rustix::process::Signal;

use super::{Arguments, TOKENS};
use crate::previous::{self, Previous};
use crate::shell;

/// Faults between two audits.
const ROUND: u32 = 10;
/// What it takes at most from the end of a leader to the next one.
const TAKEN_OVER: Duration = Duration::from_secs(5);
const NAMES: [(Service, &[&str]); 3] =
    [(Service::Order, &["a", "b", "c"]), (Service::Payment, &["a", "b"]), (Service::Barista, &["a", "b"])];

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// `kill -9` of whoever leads.
    LeaderKilled,
    /// Whoever leads stops until another does, and is woken.
    LeaderFrozen,
    /// A replica ends in order and is started again.
    Restarted,
    /// The same, and it is the program before from then on, or this one again.
    Replaced,
    DatabaseKilled,
    DatabaseFrozen,
    OrdersLocked,
    HeadLocked,
    /// Nobody reaches the database.
    DatabaseCut,
    DatabaseStalled,
    DatabaseDeaf,
    DatabaseMute,
    BrokerKilled,
    BrokerFrozen,
}

const FAULTS: [Fault; 14] = [
    Fault::LeaderKilled,
    Fault::LeaderFrozen,
    Fault::Restarted,
    Fault::Replaced,
    Fault::DatabaseKilled,
    Fault::DatabaseFrozen,
    Fault::OrdersLocked,
    Fault::HeadLocked,
    Fault::DatabaseCut,
    Fault::DatabaseStalled,
    Fault::DatabaseDeaf,
    Fault::DatabaseMute,
    Fault::BrokerKilled,
    Fault::BrokerFrozen,
];

/// Dropped in this order: the cafe before what it stands on.
struct Chain<'a> {
    cafe: Cafe,
    proxy: Proxy,
    postgres: Postgres,
    kafka: Kafka,
    arguments: &'a Arguments,
    previous: Previous,
    slowest_takeover: Duration,
}

pub(super) fn run(arguments: &Arguments, seed: u64) -> Result<bool> {
    let started = Instant::now();
    let mut chain = Chain::open(arguments, seed)?;
    let mut done = 0;
    while done < arguments.chain || started.elapsed() < Duration::from_secs(60 * arguments.minutes) {
        chain.run_round()?;
        done += ROUND;
        println!(
            "{done} faults, {} s: all well; taken over within {:?}",
            started.elapsed().as_secs(),
            chain.slowest_takeover
        );
    }
    let prompt = chain.slowest_takeover <= TAKEN_OVER;
    if !prompt {
        println!("missed: taken over only {:?} after a kill, not in {TAKEN_OVER:?}", chain.slowest_takeover);
    }
    Ok(prompt)
}

impl<'a> Chain<'a> {
    fn open(arguments: &'a Arguments, seed: u64) -> Result<Self> {
        let previous = previous::build(arguments.previous.as_deref(), &shell::target())?;
        if let Previous::None(why) = &previous {
            println!("only this program: {why}");
        }
        let postgres = Postgres::start().context("PostgreSQL does not start")?;
        let kafka = Kafka::start(1).context("Kafka does not start")?;
        let proxy = Proxy::to(SocketAddr::from((Ipv4Addr::LOCALHOST, postgres.port())))?;
        let site = Site { database: Some(postgres.url_via(&proxy)), kafka: Some(kafka.bootstrap()) };
        let mut cafe = Cafe::closed_at(site, &ROBOT);
        cafe.draw_from_seed(seed);
        for (service, names) in NAMES {
            for name in names {
                cafe.open_replica(service, name);
            }
        }
        cafe.reopen_replicas();
        Ok(Self { cafe, proxy, postgres, kafka, arguments, previous, slowest_takeover: Duration::ZERO })
    }

    /// A rush, the faults within it, then everything settled and audited.
    fn run_round(&mut self) -> Result<()> {
        let rush = Rush::start_at(&self.cafe.ports_of(Service::Order), self.arguments.rate, &TOKENS);
        for _ in 0..ROUND {
            rush.wait_for_customers(self.cafe.draw(1..2 * self.arguments.rate));
            let (service, names) = NAMES[self.cafe.draw(0..3) as usize];
            let name = names[self.cafe.draw(0..names.len() as u32) as usize];
            let fault = FAULTS[self.cafe.draw(0..FAULTS.len() as u32) as usize];
            println!("  {fault:?} ({} {name})", service.name());
            self.inflict(fault, service, name)?;
            for (service, name, status) in self.cafe.reopen_replicas() {
                println!("    {} {name} had ended: {status}", service.name());
            }
        }
        rush.wait_for_customers(self.arguments.rate);
        rush.stop().demand_all_served(&self.cafe);
        Ok(())
    }

    fn inflict(&mut self, fault: Fault, service: Service, name: &str) -> Result<()> {
        match fault {
            Fault::LeaderKilled => self.kill_leader(service),
            Fault::LeaderFrozen => self.freeze_leader(service),
            Fault::Restarted => drop(self.cafe.stop_replica(service, name)),
            Fault::Replaced => self.replace(service, name),
            Fault::DatabaseKilled => {
                self.postgres.kill()?;
                self.pause();
                self.postgres.restart()?;
            }
            Fault::DatabaseFrozen => {
                self.postgres.freeze()?;
                self.pause();
                self.postgres.thaw()?;
            }
            Fault::OrdersLocked => self.lock("cafe_order.orders")?,
            Fault::HeadLocked => self.lock("cafe_order.outbox_head")?,
            Fault::DatabaseCut => self.part(Proxy::cut),
            Fault::DatabaseStalled => self.part(Proxy::stall),
            Fault::DatabaseDeaf => self.part(|proxy| proxy.one_way(Direction::ClientToServer)),
            Fault::DatabaseMute => self.part(|proxy| proxy.one_way(Direction::ServerToClient)),
            Fault::BrokerKilled => {
                self.kafka.kill(0);
                self.pause();
                self.kafka.restart(0)?;
                self.kafka.wait_until_ready()?;
            }
            Fault::BrokerFrozen => {
                self.kafka.freeze(0)?;
                self.pause();
                self.kafka.thaw(0)?;
            }
        }
        Ok(())
    }

    fn kill_leader(&mut self, service: Service) {
        let leader = self.leader(service);
        let killed = Instant::now();
        self.cafe.kill_replica(service, &leader);
        self.wait_for_another(service, &leader);
        self.slowest_takeover = self.slowest_takeover.max(killed.elapsed());
    }

    fn freeze_leader(&mut self, service: Service) {
        let leader = self.leader(service);
        self.cafe.signal_replica(service, &leader, Signal::STOP);
        self.wait_for_another(service, &leader);
        self.cafe.signal_replica(service, &leader, Signal::CONT);
        self.cafe.wait_for_end(service, &leader);
    }

    fn replace(&mut self, service: Service, name: &str) {
        self.cafe.stop_replica(service, name);
        match &self.previous {
            Previous::At(previous) if self.cafe.draw(0..3) > 0 => {
                self.cafe.open_replica_of(previous, service, name);
            }
            _ => self.cafe.open_replica(service, name),
        }
    }

    fn lock(&self, table: &str) -> Result<()> {
        let seconds = self.cafe.draw(1..15);
        let hold = format!("BEGIN; LOCK TABLE {table}; SELECT pg_sleep({seconds}); COMMIT");
        self.postgres.psql(&hold).map(drop)
    }

    fn part(&self, harm: impl Fn(&Proxy)) {
        harm(&self.proxy);
        self.pause();
        self.proxy.heal();
    }

    /// This is the harm itself, not a wait for anything.
    fn pause(&self) {
        sleep(Duration::from_millis(self.cafe.draw(100..10_000).into()));
    }

    fn leader(&self, service: Service) -> String {
        wait_until(MOMENT, "a replica leads", || self.cafe.leader(service)).0
    }

    fn wait_for_another(&self, service: Service, before: &str) {
        wait_until(MOMENT, "another replica leads", || self.cafe.leader_after(service, before));
    }
}
