//! Kafka as it is, and what can be done to it, seen with kcat.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use cafe_rig::{Direction, Kafka, Proxy, kcat};

/// Brokers are large, and machines are small.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

fn turn() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One record for each line, each in a batch of its own.
fn write(bootstrap: &str, topic: &str, lines: &str) -> Result<()> {
    let settings = ["-X", "acks=all", "-X", "batch.num.messages=1", "-X", "message.timeout.ms=20000"];
    kcat(&[&["-b", bootstrap, "-P", "-t", topic, "-p", "0"], &settings[..]].concat(), lines).map(drop)
}

fn read(bootstrap: &str, topic: &str) -> Result<String> {
    kcat(&["-b", bootstrap, "-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q"], "")
}

/// Reads until this is all there is. A broker that has just come to lead lets readers see the end of the topic only once the others
/// have told it how far they are.
#[track_caller]
fn demand(bootstrap: &str, topic: &str, lines: &str) {
    let until = Instant::now() + PATIENCE;
    loop {
        let read = read(bootstrap, topic).expect("it can be read");
        if read == lines || Instant::now() > until {
            return assert_eq!(read, lines);
        }
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn one_broker_keeps_records_over_a_kill_loses_a_tail_when_told_and_everything_when_wiped() -> Result<()> {
    let _turn = turn();
    let kafka = Kafka::start(1)?;
    let at = kafka.bootstrap();
    kafka.create_topic("order", 2, &[("retention.ms", "3600000")])?;
    assert!(kafka.create_topic("order", 2, &[]).is_err(), "it is there already");
    write(&at, "order", "a\nb\nc\nd\ne\n")?;

    kafka.kill(0);
    assert!(kafka.wait_until_ready().is_err(), "nobody waits for a broker that was killed");
    kafka.restart_all()?;
    kafka.wait_until_ready()?;
    assert_eq!(read(&at, "order")?, "a\nb\nc\nd\ne\n");

    assert_eq!(kafka.lose_tail("order", 0, 2)?, 2);
    assert_eq!(read(&at, "order")?, "a\nb\nc\n");
    assert_eq!(kafka.end_offset("order", 0)?, 3);
    write(&at, "order", "f\n")?;
    assert_eq!(read(&at, "order")?, "a\nb\nc\nf\n");
    assert_eq!(kafka.end_offset("order", 0)?, 4);
    assert!(kafka.lose_tail("order", 0, 5).is_err(), "there are only four");
    kafka.restart_all()?;
    kafka.wait_until_ready()?;

    kafka.delete_topic("order")?;
    kafka.create_topic("order", 1, &[])?;
    assert_eq!(kafka.end_offset("order", 0)?, 0);

    kafka.wipe_all()?;
    kafka.wait_until_ready()?;
    assert!(kafka.end_offset("order", 0).is_err(), "the topic is gone");
    Ok(())
}

#[test]
fn three_brokers_go_on_without_one_whichever_way_it_is_missing() -> Result<()> {
    let _turn = turn();
    let kafka = Kafka::start(3)?;
    let at = kafka.bootstrap();
    kafka.create_topic("order", 1, &[("min.insync.replicas", "2")])?;
    write(&at, "order", "a\n")?;

    kafka.kill(0);
    kafka.wait_until_ready()?;
    write(&at, "order", "b\n")?;
    kafka.restart(0)?;
    kafka.wait_until_in_sync()?;

    kafka.freeze(1)?;
    write(&at, "order", "c\n")?;
    kafka.thaw(1)?;
    kafka.wait_until_in_sync()?;

    kafka.wipe(2)?;
    kafka.wait_until_in_sync()?;
    demand(&at, "order", "a\nb\nc\n");

    assert_eq!(kafka.lose_tail("order", 0, 1)?, 1);
    kafka.wait_until_in_sync()?;
    write(&at, "order", "d\n")?;
    demand(&at, "order", "a\nb\nd\n");
    assert_eq!(kafka.end_offset("order", 0)?, 3);

    kafka.kill_all();
    assert!(kcat(&["-b", &at, "-L", "-m", "1"], "").is_err());
    kafka.restart_all()?;
    kafka.wait_until_ready()?;
    demand(&at, "order", "a\nb\nd\n");
    Ok(())
}

#[test]
fn behind_proxies_no_client_comes_past_them() -> Result<()> {
    let _turn = turn();
    let kafka = Kafka::behind_proxies(1)?;
    let at = kafka.bootstrap();
    kafka.create_topic("order", 1, &[])?;
    write(&at, "order", "a\n")?;

    kafka.proxy(0, Proxy::cut)?;
    assert!(read(&at, "order").is_err());
    assert_eq!(read(&kafka.bootstrap_directly(), "order")?, "a\n");

    kafka.proxy(0, |proxy| proxy.one_way(Direction::ClientToServer))?;
    thread::scope(|scope| {
        let reader = scope.spawn(|| read(&at, "order"));
        thread::sleep(Duration::from_millis(300));
        assert!(!reader.is_finished());
        kafka.proxy(0, Proxy::heal)?;
        assert_eq!(reader.join().unwrap()?, "a\n");
        Ok(())
    })
}
