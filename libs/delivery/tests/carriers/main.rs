//! What a carrier promises to whoever listens, whatever carries the events: each function of `on_every_rung` is a test on
//! files, on a database server, on Kafka as librdkafka plays it within the process, and some on a real Kafka.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../toy/mod.rs"]
mod toy;

macro_rules! on_every_rung {
    ($($name:ident),+ $(,)?) => {
        mod directly_on_files {
            $(#[test]
            fn $name() {
                super::$name(&crate::rung::Rung::files());
            })+
        }

        mod directly_on_a_server {
            $(#[test]
            fn $name() {
                super::$name(&crate::rung::Rung::server());
            })+
        }

        mod over_a_mock_of_kafka {
            $(#[test]
            fn $name() {
                super::$name(&crate::rung::Rung::mock());
            })+
        }
    };
}

macro_rules! on_kafka_and_a_server {
    ($($name:ident),+ $(,)?) => {
        mod over_kafka_on_a_server {
            $(#[test]
            fn $name() {
                super::$name(&crate::rung::Rung::kafka());
            })+
        }
    };
}

mod foreign;
mod hearing;
mod relaying;
mod rung;
mod setting_aside;
mod topic;
