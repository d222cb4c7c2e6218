//! What cannot be taken in is set aside, its order waits, and nobody else does.

use cafe_delivery::ParkedOutcome;
use cafe_failures::{event, tried};

use crate::rung::{Rung, until};
use crate::toy::{order, said};

on_every_rung!(
    what_fails_is_set_aside_alone_and_its_order_waits_until_it_is_dropped,
    what_is_announced_again_is_set_aside_once_and_dropped_once,
    a_number_on_the_list_is_never_given_to_something_else,
    past_a_limit_of_what_is_set_aside_nothing_more_is_heard_and_it_says_so,
);
on_kafka_and_a_server!(what_fails_is_set_aside_alone_and_its_order_waits_until_it_is_dropped);

fn what_fails_is_set_aside_alone_and_its_order_waits_until_it_is_dropped(rung: &Rung) {
    tried(&event::POISON);
    let mut payment = rung.payment();
    payment
        .say(&[
            said(order(1), 1, "w1"),
            said(order(2), 1, "panic"),
            said(order(3), 1, "refused"),
            said(order(2), 2, "w2"),
            said(order(4), 1, "w1"),
        ])
        .unwrap();
    let barista = rung.barista();
    barista.until_words(order(4), &["w1"]);
    barista.until_words(order(1), &["w1"]);
    until("both are set aside, and one waits", || (barista.status().parked, barista.status().held) == (2, 1));
    let parked = barista.parked();
    let (panicked, _, _) = parked.iter().find(|(_, _, why)| why.contains("panicked")).unwrap();
    assert_eq!(barista.drop_parked(*panicked), ParkedOutcome::Done);
    assert_eq!(barista.drop_parked(999), ParkedOutcome::NotFound);
    barista.until_words(order(2), &["w2"]);
    until("the lists are counted", || (barista.status().parked, barista.status().held) == (1, 0));
    let (refused, event, _) = barista.parked().remove(0);
    assert_eq!(event, format!("payment/{}/1", order(3)));
    assert!(matches!(barista.retry(refused), ParkedOutcome::StillRefused(_)));
    assert_eq!(barista.parked().len(), 1);
    barista.stopped();
}

/// Also by a relay that does not know how far the one before it came.
fn what_is_announced_again_is_set_aside_once_and_dropped_once(rung: &Rung) {
    tried(&event::HEARD_AGAIN);
    let mut payment = rung.payment();
    payment.say(&[said(order(1), 1, "refused"), said(order(1), 2, "w2")]).unwrap();
    let barista = rung.barista();
    until("it is set aside", || (barista.status().parked, barista.status().held) == (1, 1));
    payment.relay(cafe_delivery::Notes::Lost).unwrap();
    payment.say(&[said(order(1), 3, "w3"), said(order(2), 1, "w1")]).unwrap();
    barista.until_words(order(2), &["w1"]);
    until("one more waits", || barista.status().held == 2);
    assert_eq!(barista.status().parked, 1);
    let (id, _, _) = barista.parked().remove(0);
    assert_eq!(barista.drop_parked(id), ParkedOutcome::Done);
    barista.until_words(order(1), &["w2", "w3"]);
    barista.stopped();
}

/// Whoever drops it once more, or has an old list before them, would drop something else.
fn a_number_on_the_list_is_never_given_to_something_else(rung: &Rung) {
    let mut payment = rung.payment();
    payment.say(&[said(order(1), 1, "refused"), said(order(2), 1, "refused")]).unwrap();
    let barista = rung.barista();
    until("both are set aside", || barista.status().parked == 2);
    let before: Vec<i64> = barista.parked().iter().map(|(id, ..)| *id).collect();
    assert_eq!(barista.drop_parked(before[1]), ParkedOutcome::Done);
    payment.say(&[said(order(3), 1, "refused"), said(order(4), 1, "refused")]).unwrap();
    until("two more are set aside", || barista.status().parked == 3);
    let now: Vec<i64> = barista.parked().iter().map(|(id, ..)| *id).collect();
    assert_eq!(now[0], before[0]);
    assert!(now[1..].iter().all(|id| *id > before[1]), "{now:?} after {before:?}");
    assert_eq!(barista.drop_parked(before[1]), ParkedOutcome::NotFound);
    assert!(matches!(barista.retry(now[0]), ParkedOutcome::StillRefused(_)), "it keeps its number");
    assert_eq!(barista.parked()[0].0, now[0]);
    barista.stopped();
}

fn past_a_limit_of_what_is_set_aside_nothing_more_is_heard_and_it_says_so(rung: &Rung) {
    tried(&event::TOO_MUCH_ASIDE);
    let mut payment = rung.payment();
    let mut db = rung.database_of_barista();
    for from in (0..100_000).step_by(5_000) {
        let some = format!(
            "INSERT INTO parked (event, source, position, kind, at_ms, body, reason, parked_at_ms)
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
             SELECT 'payment@' || ({from} + i), 'payment', i, '', 0, '', 'not ours', 0 FROM n"
        );
        db.batch(&some).unwrap();
    }
    payment.say(&[said(order(1), 1, "w1")]).unwrap();
    let barista = rung.barista();
    until("it is told", || barista.silent().contains("set aside"));
    assert_eq!(barista.say(order(9), "fine"), Ok(1), "its own requests go on");
    assert!(barista.words(order(1)).is_empty(), "nothing new is heard");
    let (id, _, _) = barista.parked().remove(0);
    assert_eq!(barista.drop_parked(id), ParkedOutcome::Done);
    barista.until_words(order(1), &["w1"]);
    barista.stopped();
}
