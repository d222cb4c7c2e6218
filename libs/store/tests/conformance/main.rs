//! What a store promises, wherever it is kept: each function of `on_both` is a test on a file and a test on a server.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

/// Names functions that take a [`home::Home`].
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_a_file {
            $(#[test]
            fn $name() {
                super::$name(&crate::home::Home::file());
            })+
        }

        mod on_a_server {
            $(#[test]
            fn $name() {
                super::$name(&crate::home::Home::server());
            })+
        }
    };
}

mod bulk;
mod errors;
mod home;
mod later;
mod locks;
mod migrations;
mod readers;
mod server;
mod transactions;
mod values;
