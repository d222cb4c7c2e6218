//! `cafe audit`: every promise that can be seen, on a data folder or over HTTP, also while the cafe works.
//!
//! Facts are collected per order, a page of orders at a time. A page with findings is read again: what an order that rested
//! between two readings shows is believed, an order that moved is looked at once more.

mod answers;
mod cafe;
mod folder;
mod rounds;
mod verdict;

use std::collections::BTreeMap;
use std::process::ExitCode;

use cafe_events::{OrderId, Source};
use cafe_promises::CustomerFact;
use clap::Args;
use serde_json::json;

use crate::cli::print;
use crate::client::Client;
use crate::services;
use crate::settings::Settings;
use answers::Answers;
use cafe::Cafe;
use folder::Folder;
pub(crate) use verdict::Verdict;

/// What customers of a rush were told, by order.
pub(crate) type Told = BTreeMap<OrderId, Vec<CustomerFact>>;

#[derive(Args)]
pub(crate) struct AuditArgs {
    /// Ask the running services instead of reading the data folder; sees less
    #[arg(long)]
    http: bool,
    /// JSON instead of text
    #[arg(long)]
    json: bool,
}

/// Judges, prints what was found, and answers 1 if a promise is broken.
pub(crate) async fn run(args: AuditArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let cafe = if args.http { over_http(settings)? } else { in_folder(settings)? };
    let verdict = rounds::judge(cafe, None, false).await?;
    let kept = verdict.is_kept();
    if args.json {
        print(&serde_json::to_string_pretty(&json!({ "ok": kept, "audit": verdict.json() }))?);
    } else {
        print(&verdict.text());
        print(if kept { "All that can be seen is as promised." } else { "Not all is as promised." });
    }
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Judges what a rush has left: over HTTP, and on the data folder where one is named. `settled` says that every order
/// should be at its end.
pub(crate) async fn after_rush(
    settings: &Settings,
    told: &Told,
    settled: bool,
) -> anyhow::Result<Vec<Verdict>> {
    let mut verdicts = vec![rounds::judge(over_http(settings)?, Some(told), settled).await?];
    if settings.named_data().is_some() {
        verdicts.push(rounds::judge(in_folder(settings)?, Some(told), settled).await?);
    }
    Ok(verdicts)
}

fn over_http(settings: &Settings) -> anyhow::Result<Cafe> {
    let staff = Client::new(answers::TIMEOUT).with_bearer(&services::staff_key(settings)?);
    Ok(Cafe::Answers(Answers::new(staff, Source::ALL.map(|service| settings.url(service)))))
}

fn in_folder(settings: &Settings) -> anyhow::Result<Cafe> {
    let place = settings.place()?;
    Ok(Cafe::Folder(tokio::task::block_in_place(|| Folder::open(&place))?))
}
