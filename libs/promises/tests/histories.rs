//! Whatever orders live through, a sound cafe is found sound, and one missing row is found wherever it is missing.

mod common;

use cafe_events::Source;
use common::{FATES, evidence_of, findings, order_id};
use proptest::prelude::*;

proptest! {
    #[test]
    fn sound_histories_are_found_sound(fates in prop::collection::vec(prop::sample::select(&FATES[..]), 0..12)) {
        prop_assert_eq!(findings(&evidence_of(&fates)), Vec::<String>::new());
    }

    #[test]
    fn any_missing_event_is_found(
        fates in prop::collection::vec(prop::sample::select(&FATES[..]), 1..6),
        order in any::<prop::sample::Index>(),
        event in any::<prop::sample::Index>(),
    ) {
        let mut evidence = evidence_of(&fates);
        let events = &mut evidence.case(order_id(order.index(fates.len()) as i64)).events;
        let gone = events.remove(event.index(events.len()));
        let log = evidence.logs.get_mut(&gone.source).unwrap();
        log.positions = (1..=log.last).filter(|kept| *kept != gone.position).collect();
        prop_assert!(!findings(&evidence).is_empty());
    }

    #[test]
    fn any_missing_row_is_found(
        fates in prop::collection::vec(prop::sample::select(&FATES[..]), 1..6),
        order in any::<prop::sample::Index>(),
        service in prop::sample::select(&Source::ALL[..]),
    ) {
        let mut evidence = evidence_of(&fates);
        let case = evidence.case(order_id(order.index(fates.len()) as i64));
        let was_there = match service {
            Source::Order => case.order.take().is_some(),
            Source::Payment => case.payment.take().is_some(),
            Source::Barista => case.ticket.take().is_some(),
        };
        prop_assert_eq!(!findings(&evidence).is_empty(), was_there);
    }
}
