//! Brokers, their disks, and the way to them.

use cafe_rig::Kafka;
use cafe_system_tests::KafkaHarm;

use crate::survives;

#[test]
#[ignore = "run by cargo xtask test"]
fn a_broker_is_killed_loses_its_topics_its_tail_and_its_disk() {
    survives(&Kafka::start(1).unwrap(), &KafkaHarm::ON_ONE);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn of_three_brokers_one_is_restarted_two_are_down_and_one_is_frozen() {
    survives(&Kafka::start(3).unwrap(), &KafkaHarm::ON_THREE);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn services_and_brokers_are_parted_altogether_and_one_way() {
    survives(&Kafka::behind_proxies(1).unwrap(), &KafkaHarm::BEHIND_PROXIES);
}
