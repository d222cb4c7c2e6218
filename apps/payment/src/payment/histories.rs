//! Random histories of one payment, against a vendor that may do anything a vendor may do.

pub(crate) mod world;

use cafe_events::{Party, PaymentEvent};
use proptest::prelude::*;

use world::{Mood, PRICES, Step, World};

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![
        4 => Just(Mood::Answers),
        1 => Just(Mood::Declines),
        2 => Just(Mood::LosesTheAnswer),
        2 => Just(Mood::Fails),
        2 => Just(Mood::Loses),
        1 => (1_u16..34).prop_map(Mood::Late),
        // Against all agreement, but it is found and given back all the same.
        1 => (36_u16..900).prop_map(Mood::Late),
    ]
}

fn party() -> impl Strategy<Value = Party> {
    prop_oneof![Just(Party::Customer), Just(Party::Staff)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0_u16..200).prop_map(Step::Pass),
        8 => mood().prop_map(Step::Work),
        1 => party().prop_map(Step::Cancel),
        1 => Just(Step::Expire),
        1 => proptest::collection::vec(1_u16..4, 1..3).prop_map(Step::NotMade),
        1 => Just(Step::TicketCancelled),
        1 => Just(Step::CancelRefused),
        1 => Just(Step::RefundAll),
        1 => prop_oneof![-5_i64..9000, Just(PRICES.iter().sum())].prop_map(Step::Goodwill),
        1 => (0_u32..3).prop_map(Step::Notified),
        1 => Just(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(3_000), ..ProptestConfig::default() })]

    #[test]
    fn money_is_conserved_whatever_happens(
        steps in proptest::collection::vec(step(), 0..60),
        pay_by_s in 10_u64..900,
        restored in proptest::bool::weighted(0.1),
    ) {
        let mut world = World::new(pay_by_s, restored);
        for step in steps {
            world.step(&step);
            world.check();
        }
        world.settle();
        world.check_settled();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1_000), ..ProptestConfig::default() })]

    #[test]
    fn a_database_that_lost_everything_finds_its_money_again(
        steps in proptest::collection::vec(step(), 0..40).prop_map(without_lost_causes),
        pay_by_s in 10_u64..900,
    ) {
        let mut world = World::new(pay_by_s, false);
        for step in steps {
            world.step(&step);
        }
        world.settle();
        world.check_settled();
        let first_word = world.announced.first().cloned();
        world.restore();
        world.settle();
        world.check_settled();
        // Of what was never paid, nobody can know whether it had expired or been cancelled first.
        if matches!(first_word, Some(PaymentEvent::Approved(_))) {
            assert_eq!(world.announced.first(), first_word.as_ref(), "the same is said again");
        }
    }
}

/// Without what no other service has heard of and the vendor's record does not tell: how often a refund was tried.
fn without_lost_causes(steps: Vec<Step>) -> Vec<Step> {
    let keeps = |step: &Step| !matches!(step, Step::Work(Mood::Fails | Mood::Declines));
    steps.into_iter().filter(keeps).collect()
}
