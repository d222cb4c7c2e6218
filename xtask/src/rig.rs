//! A Kafka and a `PostgreSQL` by hand, to run the cafe on.

use anyhow::{Context, Result};
use cafe_rig::{Kafka, Postgres};
use tokio::signal::unix::{SignalKind, signal};

/// How large.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Brokers of Kafka
    #[arg(long, default_value = "1", value_name = "1|3", value_parser = ["1", "3"])]
    brokers: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    println!("starting Kafka and PostgreSQL");
    let postgres = Postgres::start().context("PostgreSQL does not start")?;
    let kafka = Kafka::for_load(arguments.brokers.parse()?).context("Kafka does not start")?;
    println!(
        "\n    cargo run --release -- up --kafka {} --database {}\n\nEverything in them is gone at Ctrl-C.",
        kafka.bootstrap(),
        postgres.url()
    );
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(ending_asked())?;
    println!("taking Kafka and PostgreSQL down");
    Ok(true)
}

/// Waits for Ctrl-C, or for whoever ends processes otherwise.
async fn ending_asked() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
