//! A real Kafka, a real `PostgreSQL` and a real browser in temporary folders on free loopback ports, and the harm that can come
//! to the first two.
//!
//! Whatever is started here ends when its value is dropped, whatever the test came to, and also when the test's own process
//! is killed. What a machine lacks is installed if it is Debian and we are root; else an error says what to install.

mod axe;
mod browser;
mod certificate;
mod folder;
mod kafka;
mod keep;
mod machine;
mod network;
mod port;
mod postgres;
mod process;
mod proxy;
mod wait;

pub use axe::axe;
pub use browser::{Chromium, prepare_browser};
pub use certificate::{Certificate, prepare_tls};
pub use kafka::{Kafka, kcat};
pub use keep::{folder_of_what_failed, keep_if_failed, keep_what_fails};
pub use network::own_addresses;
pub use postgres::Postgres;
pub use proxy::{Direction, Proxy};

/// Installs a C++ compiler, which libFuzzer is built with.
///
/// # Errors
/// Say that there is none and how to come by it.
pub fn prepare_cxx() -> anyhow::Result<()> {
    machine::found_or_installed("C++ compiler", &["g++"], || machine::on_path("c++")).map(drop)
}

/// Where strace is, which tells what a program asks of the kernel and has the kernel refuse it.
///
/// # Errors
/// If it is missing and cannot be installed.
pub fn strace() -> anyhow::Result<std::path::PathBuf> {
    machine::found_or_installed("strace", &["strace"], || machine::on_path("strace"))
}

/// Fetches and installs everything that a rig needs, which at the first time takes a minute or two.
///
/// # Errors
/// Say what is missing and how to come by it.
pub fn prepare() -> anyhow::Result<()> {
    postgres::programs()?;
    kafka::prepare()
}
