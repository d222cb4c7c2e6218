//! What befalls Kafka while a cafe trades on it. Orders are taken throughout, and whatever was to be heard is heard afterwards.

use std::time::{Duration, Instant};

use cafe_rig::{Direction, Kafka, Proxy};

use crate::{Cafe, MOMENT, Rush, Service, proc, wait_until};

/// How long Kafka is away, in seconds of customers.
const AWAY: u32 = 8;
/// What a service may hold more in memory for what waits in its outbox, and for the clients that try again.
const MEMORY_MB: f64 = 48.0;
/// For brokers that start on a busy machine, and clients that come back to them.
const RECOVERED: Duration = Duration::from_mins(2);
/// An acknowledged tail of so many records.
const TAIL: u64 = 5;

/// One kind of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KafkaHarm {
    /// `kill -9` of every broker, for a while.
    AllKilled,
    /// Each topic is deleted; whoever writes to it makes it anew.
    TopicsDeleted,
    /// All brokers come back with empty disks.
    AllWiped,
    /// Records that were acknowledged are gone from the end of a partition.
    TailLost,
    /// One of three brokers is killed and comes back.
    OneRestarted,
    /// Two of three: neither a quorum nor enough replicas are left.
    TwoDown,
    /// One of three is stopped where it stands.
    OneFrozen,
    /// Every connection between services and brokers is reset, and new ones are refused.
    Cut,
    /// Connections stay, and nothing passes.
    Stalled,
    /// Brokers hear the services, and their answers do not come.
    Unanswered,
    /// Services hear nothing of what they have asked, because brokers do not hear them.
    Unheard,
}

impl KafkaHarm {
    /// For a single broker.
    pub const ON_ONE: [Self; 4] = [Self::AllKilled, Self::TopicsDeleted, Self::TailLost, Self::AllWiped];
    /// For three.
    pub const ON_THREE: [Self; 3] = [Self::OneRestarted, Self::TwoDown, Self::OneFrozen];
    /// For brokers behind proxies.
    pub const BEHIND_PROXIES: [Self; 4] = [Self::Cut, Self::Stalled, Self::Unanswered, Self::Unheard];

    /// Does it under a rush of its own, and demands that orders are taken throughout, that each takes its course once, and that
    /// the audit is clean.
    ///
    /// # Panics
    /// If not.
    pub fn demand_survived(self, cafe: &Cafe, kafka: &Kafka, rate: u32, tokens: &[&str]) {
        let started = Instant::now();
        let rush = Rush::start(cafe, rate, tokens);
        rush.wait_for_seconds(3);
        self.inflict(cafe, kafka, &rush);
        rush.wait_for_seconds(1);
        let rushed = rush.stop();
        rushed.demand_taken_throughout();
        rushed.demand_all_served(cafe);
        println!("{self:?}: all well after {:.1} s", started.elapsed().as_secs_f64());
    }

    /// Does it, under a rush, and waits until the brokers are well again.
    ///
    /// # Panics
    /// If the rig fails, or the cafe does not behave as this harm demands.
    pub fn inflict(self, cafe: &Cafe, kafka: &Kafka, rush: &Rush) {
        self.try_to_inflict(cafe, kafka, rush).unwrap_or_else(|failure| panic!("{self:?}: {failure:#}"));
    }

    fn try_to_inflict(self, cafe: &Cafe, kafka: &Kafka, rush: &Rush) -> anyhow::Result<()> {
        match self {
            Self::AllKilled => all_killed(cafe, kafka, rush),
            Self::TopicsDeleted => Service::ALL.iter().try_for_each(|it| kafka.delete_topic(it.name())),
            Self::AllWiped => {
                kafka.wipe_all()?;
                kafka.wait_until_ready()
            }
            Self::TailLost => tail_lost(cafe, kafka),
            Self::OneRestarted => {
                kafka.kill(0);
                rush.wait_for_seconds(AWAY);
                kafka.restart(0)?;
                kafka.wait_until_in_sync()
            }
            Self::TwoDown => {
                kafka.kill(0);
                kafka.kill(1);
                rush.wait_for_seconds(AWAY);
                demand_waiting(cafe);
                kafka.restart(0)?;
                kafka.restart(1)?;
                kafka.wait_until_in_sync()
            }
            Self::OneFrozen => {
                kafka.freeze(2)?;
                rush.wait_for_seconds(AWAY);
                kafka.thaw(2)?;
                kafka.wait_until_in_sync()
            }
            Self::Cut => parted(cafe, kafka, rush, Proxy::cut),
            Self::Stalled => parted(cafe, kafka, rush, Proxy::stall),
            Self::Unanswered => parted(cafe, kafka, rush, |proxy| proxy.one_way(Direction::ClientToServer)),
            Self::Unheard => parted(cafe, kafka, rush, |proxy| proxy.one_way(Direction::ServerToClient)),
        }
    }
}

impl Cafe {
    /// Orders that were taken and have no ticket yet, by what the services have counted.
    pub fn untold(&self) -> f64 {
        self.metric(Service::Order, "cafe_orders_accepted_total")
            - self.metric(Service::Barista, "cafe_tickets_queued_total")
    }
}

/// Orders pile up in the outbox and not in memory, and drain at least twice as fast as new ones come.
fn all_killed(cafe: &Cafe, kafka: &Kafka, rush: &Rush) -> anyhow::Result<()> {
    let memory = || Service::ALL.map(|service| memory_mb(cafe, service));
    let before = memory();
    kafka.kill_all();
    let from = Instant::now();
    rush.wait_for_seconds(2 * AWAY);
    for (service, (before, now)) in Service::ALL.iter().zip(before.into_iter().zip(memory())) {
        assert!(now < before + MEMORY_MB, "{service:?} has grown from {before} MB to {now} MB");
    }
    let waiting = cafe.untold();
    let relay = cafe.health(Service::Order)["relay"].clone();
    let behind = relay["behind"].as_f64().unwrap_or(0.0);
    assert!(relay["silent"].is_string() && behind > waiting / 2.0, "{waiting} wait, and it says {relay}");
    kafka.restart_all()?;
    kafka.wait_until_ready()?;
    // Clients come back within a second or so; until then more waits.
    let mut most = waiting;
    wait_until(RECOVERED, "something is heard again", || {
        let untold = cafe.untold();
        most = most.max(untold);
        (untold < most * 0.9).then_some(())
    });
    let (outage, drains_from) = (from.elapsed(), Instant::now());
    wait_until(RECOVERED, "the backlog is drained", || (cafe.untold() < most / 10.0).then_some(()));
    let took = drains_from.elapsed();
    println!("{most} orders that came in {outage:?} without Kafka were drained in {took:?}");
    assert!(took < outage, "what came in {outage:?} took {took:?} to drain beside what came meanwhile");
    Ok(())
}

/// It is noticed, counted and logged.
fn tail_lost(cafe: &Cafe, kafka: &Kafka) -> anyhow::Result<()> {
    let losses = || cafe.metric(Service::Order, "cafe_topic_losses_total");
    let before = losses();
    let topic = Service::Order.name();
    let mut longest = (0, 0);
    for part in 0..12 {
        longest = longest.max((kafka.end_offset(topic, part)?, part));
    }
    kafka.lose_tail(topic, longest.1, TAIL)?;
    wait_until(RECOVERED, "the loss is noticed", || (losses() > before).then_some(()));
    assert!(
        cafe.log().contains("Kafka has lost what it had acknowledged; announcing it again"),
        "it is in the log"
    );
    Ok(())
}

fn parted(cafe: &Cafe, kafka: &Kafka, rush: &Rush, harm: impl Fn(&Proxy)) -> anyhow::Result<()> {
    kafka.proxy(0, harm)?;
    rush.wait_for_seconds(AWAY);
    demand_waiting(cafe);
    kafka.proxy(0, Proxy::heal)
}

/// What order announces waits in its outbox.
fn demand_waiting(cafe: &Cafe) {
    let relay = cafe.health(Service::Order)["relay"].clone();
    assert!(relay["behind"].as_i64().is_some_and(|behind| behind > 0), "nothing waits: {relay}");
}

fn memory_mb(cafe: &Cafe, service: Service) -> f64 {
    let (pid, _) = wait_until(MOMENT, "the service has a process", || cafe.pid(service));
    proc::memory_mb(pid, "VmRSS").expect("a running process has memory")
}
