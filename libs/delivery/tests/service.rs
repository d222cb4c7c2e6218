//! A running service on real files, beside a peer's real outbox.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod toy;

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cafe_clock::{Clock, Ids};
use cafe_delivery::{
    Desk, Hooks, INBOX_LIMIT, Outbox, ParkedOutcome, Place, TurnError, mark_restored, start,
};
use cafe_events::{OrderId, Source};
use cafe_failures::{customer, disk, event, log, owner, process, replica, tried};
use cafe_store::Connection;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use toy::{Request, Toy, order, outbox_of_payment, said, words};

struct Running {
    desk: Desk<Toy>,
    stop: CancellationToken,
}

fn started(place: &Place) -> Running {
    let stop = CancellationToken::new();
    let desk = start(Toy, place, Clock::Real, &Ids::random(), Hooks::new(|_| {}), stop.clone()).unwrap();
    Running { desk, stop }
}

impl Running {
    async fn stopped(self) {
        self.stop.cancel();
        self.desk.stopped().await.unwrap();
    }

    async fn words(&self, order_id: OrderId) -> Vec<String> {
        self.desk.readers().read(move |db| words(db, order_id)).await.unwrap().unwrap_or_default()
    }

    async fn until_words(&self, order_id: OrderId, expected: &[&str]) {
        until(&format!("{order_id} has {expected:?}"), async || self.words(order_id).await == expected).await;
    }
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let limit = tokio::time::Instant::now() + Duration::from_secs(10);
    while !condition().await {
        assert!(tokio::time::Instant::now() < limit, "not within 10 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn place() -> (TempDir, Place) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path());
    (folder, place)
}

#[tokio::test]
async fn what_a_peer_says_is_heard_once_also_across_restarts() {
    let (_folder, place) = place();
    let service = started(&place);
    // The peer's file appears only later.
    let mut payment = outbox_of_payment(&place);
    payment.say(&[said(order(1), 1, "w1")]).unwrap();
    service.until_words(order(1), &["w1"]).await;
    service.stopped().await;

    payment.say(&[said(order(1), 2, "w2"), said(order(2), 1, "w1")]).unwrap();
    let service = started(&place);
    service.until_words(order(2), &["w1"]).await;
    assert_eq!(service.words(order(1)).await, ["w1", "w2"]);
    assert_eq!(Outbox::heard_by(&place, Source::Barista, Source::Payment).unwrap(), 3);
    service.stopped().await;
}

#[tokio::test]
async fn news_is_heard_within_milliseconds_of_its_commit() {
    let (_folder, place) = place();
    let mut payment = outbox_of_payment(&place);
    let service = started(&place);
    payment.say(&[said(order(1_000), 1, "w1")]).unwrap();
    service.until_words(order(1_000), &["w1"]).await;
    let mut taken = Vec::new();
    for number in 0..51 {
        let before = std::time::Instant::now();
        let position = payment.say(&[said(order(number), 1, "w1")]).unwrap();
        while service.desk.status().links[0].position < position {
            assert!(before.elapsed() < Duration::from_secs(5), "never heard");
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        taken.push(before.elapsed());
    }
    taken.sort();
    // A poll alone would take 250 ms at the median; the nudge makes it a few milliseconds even on a busy machine.
    assert!(taken[25] < Duration::from_millis(50), "median {:?}", taken[25]);
    service.stopped().await;
}

#[tokio::test]
async fn a_wake_socket_that_somebody_removed_is_there_again_after_a_moment() {
    let (_folder, place) = place();
    let mut payment = outbox_of_payment(&place);
    let service = started(&place);
    let socket = place.run().join("barista-hears-payment.wake");
    std::fs::remove_file(&socket).unwrap();
    until("the socket is there again", async || socket.exists()).await;
    payment.say(&[said(order(1), 1, "w1")]).unwrap();
    service.until_words(order(1), &["w1"]).await;
    service.stopped().await;
}

#[tokio::test]
async fn a_request_that_cannot_be_committed_does_not_fail_its_neighbours() {
    tried(&event::REFUSED_IN_A_CROWD);
    let log = log();
    let (_folder, place) = place();
    let service = started(&place);
    let asks = (0..64_u128).map(|number| {
        let word = if number == 17 { "refused" } else { "fine" };
        let desk = service.desk.clone();
        tokio::spawn(async move { (number, desk.ask(Request::Say(order(number), word), None).await) })
    });
    for ask in asks.collect::<Vec<_>>() {
        let (number, answer) = ask.await.unwrap();
        match number {
            17 => assert!(matches!(answer, Err(TurnError::Failed(_))), "{answer:?}"),
            _ => assert_eq!(answer, Ok(1)),
        }
    }
    let mut outbox = Connection::open_peer(&place.file(Source::Barista)).unwrap();
    let positions: Vec<i64> = cafe_delivery::read_after(&mut outbox, 0, 100)
        .unwrap()
        .iter()
        .map(|record| record.position)
        .collect();
    assert_eq!(positions, (1..=63).collect::<Vec<_>>(), "positions have no gaps");
    assert!(log.says(&["a turn failed; trying its halves"]), "{}", log.text());
    assert!(log.says(&["a request could not be committed", "CHECK constraint failed"]), "{}", log.text());
    service.stopped().await;
}

/// The writer has taken a turn's worth out of its inbox, and waits for the lock.
#[tokio::test]
async fn past_what_may_wait_for_the_writer_a_request_is_refused_at_once_and_what_waits_is_done() {
    tried(&customer::TOO_MUCH_WAITS);
    let (_folder, place) = place();
    let service = started(&place);
    let mut holder = Connection::open_as_it_is(&place.file(Source::Barista)).unwrap();
    holder.batch("BEGIN IMMEDIATE").unwrap();
    let ask = |number: usize| {
        let desk = service.desk.clone();
        async move { desk.ask(Request::Say(order(number as u128), "fine"), None).await }
    };
    let mut waiting = Vec::new();
    let refused = loop {
        let mut asked = Box::pin(ask(waiting.len()));
        match once(asked.as_mut()) {
            Poll::Ready(answer) => break answer,
            Poll::Pending => waiting.push(asked),
        }
    };
    assert_eq!(refused, Err(TurnError::Busy));
    assert!(waiting.len() >= INBOX_LIMIT, "{} could wait", waiting.len());
    assert_eq!(INBOX_LIMIT, 4_096);

    holder.batch("ROLLBACK").unwrap();
    for asked in waiting {
        assert_eq!(asked.await, Ok(1));
    }
    service.stopped().await;
}

/// What it has to say at once.
fn once<T>(work: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    work.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn an_event_that_makes_a_rule_panic_or_the_database_refuse_is_set_aside_alone() {
    tried(&event::POISON);
    let (_folder, place) = place();
    let mut payment = outbox_of_payment(&place);
    payment
        .say(&[
            said(order(1), 1, "w1"),
            said(order(2), 1, "panic"),
            said(order(3), 1, "refused"),
            said(order(2), 2, "w2"),
            said(order(4), 1, "w1"),
        ])
        .unwrap();
    let service = started(&place);
    service.until_words(order(4), &["w1"]).await;
    until("the lists are counted", async || service.desk.status().parked == 2).await;
    assert_eq!(service.desk.status().held, 1, "what came after it about the same order waits");
    let parked = service.desk.parked(0, 10).await.unwrap();
    assert!(parked[0].reason.contains("panicked"), "{}", parked[0].reason);

    assert_eq!(service.desk.drop_parked(parked[0].id).await, Ok(ParkedOutcome::Done));
    assert_eq!(service.desk.drop_parked(999).await, Ok(ParkedOutcome::NotFound));
    service.until_words(order(2), &["w2"]).await;
    assert_eq!((service.desk.status().held, service.desk.status().parked), (0, 1));
    service.stopped().await;
}

#[tokio::test]
async fn a_log_that_was_restored_is_heard_again_and_changes_nothing() {
    tried(&disk::PAYMENT_RESTORED);
    let (_folder, place) = place();
    let mut payment = outbox_of_payment(&place);
    payment.say(&[said(order(1), 1, "w1"), said(order(1), 2, "w2")]).unwrap();
    let service = started(&place);
    service.until_words(order(1), &["w1", "w2"]).await;

    let mut db = Connection::open(&place.file(Source::Payment), cafe_delivery::MIGRATIONS).unwrap();
    mark_restored(&mut db, "another-log", cafe_clock::from_ms(5_000)).unwrap();
    payment.say(&[said(order(2), 1, "w1")]).unwrap();
    service.until_words(order(2), &["w1"]).await;
    assert_eq!(service.words(order(1)).await, ["w1", "w2"]);
    assert_eq!(service.desk.status().parked, 0);
    service.stopped().await;
}

#[tokio::test]
async fn a_log_that_says_otherwise_than_before_is_set_aside_there_and_logged() {
    tried(&event::CONTRADICTION);
    let log = log();
    let (_folder, place) = place();
    let mut payment = outbox_of_payment(&place);
    payment.say(&[said(order(1), 1, "w1")]).unwrap();
    let service = started(&place);
    service.until_words(order(1), &["w1"]).await;

    let mut db = Connection::open(&place.file(Source::Payment), cafe_delivery::MIGRATIONS).unwrap();
    db.batch("UPDATE outbox SET body = replace(body, 'w1', 'otherwise')").unwrap();
    mark_restored(&mut db, "another-log", cafe_clock::from_ms(5_000)).unwrap();
    payment.say(&[said(order(1), 2, "w2")]).unwrap();
    service.until_words(order(1), &["w1", "w2"]).await;
    until("the lists are counted", async || service.desk.status().parked == 1).await;
    assert!(service.desk.parked(0, 1).await.unwrap()[0].reason.contains("says otherwise"));
    assert!(log.says(&["ERROR", "a peer contradicts itself: see /parked"]), "{}", log.text());
    service.stopped().await;
}

#[tokio::test]
async fn a_gap_in_what_is_kept_stops_the_listener_and_is_never_skipped() {
    tried(&event::GAP);
    let (_folder, place) = place();
    let mut payment = outbox_of_payment(&place);
    payment.say(&[said(order(1), 1, "w1")]).unwrap();
    let service = started(&place);
    service.until_words(order(1), &["w1"]).await;
    service.stopped().await;

    payment.say(&[said(order(2), 1, "w1"), said(order(3), 1, "w1")]).unwrap();
    let mut db = Connection::open(&place.file(Source::Payment), cafe_delivery::MIGRATIONS).unwrap();
    db.batch("DELETE FROM outbox WHERE position <= 2; UPDATE outbox_head SET oldest = 3").unwrap();
    let service = started(&place);
    until("the gap is told", async || {
        service.desk.status().links[0].silent.as_ref().is_some_and(|reason| reason.contains("no longer kept"))
    })
    .await;
    assert!(service.words(order(3)).await.is_empty());
    assert_eq!(service.desk.ask(Request::Say(order(9), "fine"), None).await, Ok(1), "its own requests go on");
    service.stopped().await;
}

#[tokio::test]
async fn the_same_service_is_not_started_twice_and_one_whose_place_was_taken_writes_no_more() {
    tried(&owner::STARTED_TWICE);
    tried(&replica::LEADER_FROZEN);
    let (_folder, place) = place();
    let service = started(&place);
    let second =
        start(Toy, &place, Clock::Real, &Ids::random(), Hooks::new(|_| {}), CancellationToken::new());
    let refusal = second.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refusal.contains("the barista service already runs"), "{refusal}");

    let mut db = Connection::open(&place.file(Source::Barista), &all_migrations()).unwrap();
    db.batch("UPDATE lease SET epoch = epoch + 1").unwrap();
    let answer = service.desk.ask(Request::Say(order(1), "fine"), None).await;
    assert_eq!(answer, Err(TurnError::OutcomeUnknown));
    assert!(service.desk.ended().await.is_err_and(|reason| reason.contains("taken over")));
    assert!(words(&mut db, order(1)).unwrap().is_none(), "nothing was written");
}

fn all_migrations() -> Vec<cafe_store::Migration> {
    use cafe_delivery::Tables;
    cafe_delivery::MIGRATIONS.iter().chain(Toy::MIGRATIONS).copied().collect()
}

#[tokio::test]
async fn while_the_first_half_of_a_turn_waits_for_a_lock_the_second_does_not_overtake_it() {
    tried(&disk::LOCK_HELD);
    let log = log();
    let (_folder, place) = place();
    let mut payment = outbox_of_payment(&place);
    // Together they are refused; alone, the first is busy for as long as the word is there.
    payment.say(&[said(order(1), 1, "busy"), said(order(2), 1, "refused"), said(order(3), 1, "w1")]).unwrap();
    toy::LOCKED.store(true, std::sync::atomic::Ordering::SeqCst);
    let service = started(&place);
    until("a turn was rolled back", async || service.desk.status().failing.is_some()).await;
    assert!(service.words(order(3)).await.is_empty(), "what comes later waits");
    toy::LOCKED.store(false, std::sync::atomic::Ordering::SeqCst);
    service.until_words(order(3), &["w1"]).await;
    assert_eq!(service.words(order(1)).await, ["busy"], "nothing was skipped");
    until("the lists are counted", async || service.desk.status().parked == 1).await;
    assert_eq!(service.desk.status().failing, None);
    assert!(log.says(&["a turn was rolled back", "somebody else writes"]), "{}", log.text());
    service.stopped().await;
}

#[tokio::test]
async fn a_writer_that_panics_takes_its_service_down_so_that_it_is_started_again() {
    tried(&process::WRITER_PANICS);
    let (_folder, place) = place();
    let stop = CancellationToken::new();
    let on_commit = |_| panic!("a bug beside the rules");
    let desk = start(Toy, &place, Clock::Real, &Ids::random(), Hooks::new(on_commit), stop.clone()).unwrap();
    assert_eq!(desk.ask(Request::Say(order(1), "fine"), None).await, Ok(1), "it was on disk before");
    assert!(desk.ended().await.is_err());
    tokio::time::timeout(Duration::from_secs(10), stop.cancelled()).await.unwrap();
}

#[tokio::test]
async fn a_set_aside_event_that_the_database_refuses_again_stays_on_the_list() {
    tried(&event::POISON);
    let (_folder, place) = place();
    outbox_of_payment(&place).say(&[said(order(1), 1, "refused")]).unwrap();
    let service = started(&place);
    until("it is set aside", async || service.desk.status().parked == 1).await;
    let id = service.desk.parked(0, 1).await.unwrap()[0].id;
    let retried = service.desk.retry_parked(id).await;
    assert!(matches!(retried, Ok(ParkedOutcome::StillRefused(_))), "{retried:?}");
    assert_eq!(service.desk.parked(0, 1).await.unwrap().len(), 1);
    service.stopped().await;
}

#[tokio::test]
async fn an_order_whose_row_cannot_be_read_holds_up_nobody_else() {
    tried(&event::ROW_UNREADABLE);
    let log = log();
    let (_folder, place) = place();
    let mut payment = outbox_of_payment(&place);
    payment.say(&[said(order(1), 1, "poison"), said(order(1), 2, "w2")]).unwrap();
    let service = started(&place);
    until("one is held", async || service.desk.status().held == 1).await;
    let mut db = Connection::open(&place.file(Source::Barista), &all_migrations()).unwrap();
    let sql = "INSERT INTO notes (order_id, words) VALUES ($1, '?')";
    db.execute(sql, &[(&order(1).to_string()).into()]).unwrap();
    payment.say(&[said(order(1), 3, "w3"), said(order(2), 1, "w1")]).unwrap();
    service.until_words(order(2), &["w1"]).await;
    assert_eq!(service.desk.ask(Request::Say(order(3), "fine"), None).await, Ok(1));
    assert_eq!(service.words(order(1)).await, ["?"], "this one stands still");
    assert!(log.says(&["ERROR", "the row cannot be read"]), "{}", log.text());
    service.stopped().await;
}

#[tokio::test]
async fn past_a_limit_of_what_is_set_aside_nothing_more_is_heard_and_it_says_so() {
    tried(&event::TOO_MUCH_ASIDE);
    let (_folder, place) = place();
    let mut payment = outbox_of_payment(&place);
    started(&place).stopped().await;
    let mut db = Connection::open(&place.file(Source::Barista), &all_migrations()).unwrap();
    db.batch(
        "INSERT INTO parked (event, source, position, kind, at_ms, body, reason, parked_at_ms)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         SELECT 'payment@' || i, 'payment', i, '', 0, '', 'not ours', 0 FROM n",
    )
    .unwrap();
    payment.say(&[said(order(1), 1, "w1")]).unwrap();
    let service = started(&place);
    until("it is told", async || {
        service.desk.status().links[0].silent.as_ref().is_some_and(|reason| reason.contains("set aside"))
    })
    .await;
    assert_eq!(service.desk.ask(Request::Say(order(9), "fine"), None).await, Ok(1), "its own requests go on");
    assert!(service.words(order(1)).await.is_empty(), "nothing new is heard");
    let id = service.desk.parked(0, 1).await.unwrap()[0].id;
    assert_eq!(service.desk.drop_parked(id).await, Ok(ParkedOutcome::Done));
    service.until_words(order(1), &["w1"]).await;
    service.stopped().await;
}

#[tokio::test]
async fn a_held_event_that_can_no_longer_be_read_holds_up_its_own_order_only() {
    tried(&event::ROW_UNREADABLE);
    let log = log();
    let (_folder, place) = place();
    let mut payment = outbox_of_payment(&place);
    payment.say(&[said(order(1), 1, "poison"), said(order(1), 2, "w2")]).unwrap();
    let service = started(&place);
    until("one is held", async || service.desk.status().held == 1).await;
    let mut db = Connection::open(&place.file(Source::Barista), &all_migrations()).unwrap();
    db.batch("UPDATE held SET body = '?'").unwrap();
    payment.say(&[said(order(1), 3, "w3"), said(order(2), 1, "w1")]).unwrap();
    service.until_words(order(2), &["w1"]).await;
    assert_eq!(service.desk.status().parked, 1);
    assert!(service.words(order(1)).await.is_empty(), "this one stands still");
    assert!(log.says(&["ERROR", "held, but it can no longer be read: its order waits"]), "{}", log.text());
    service.stopped().await;
}
