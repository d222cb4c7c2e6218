//! `cafe up`: the three services, each a process of its own, watched over.
//!
//! The services never depend on this process: they listen, write and hear each other without it. If it is killed they go on,
//! and the next `up` adopts them.

mod greeting;
mod keeper;
mod process;
mod qr;
mod restarts;
mod screens;
mod signals;
mod takeover;
mod wal_watch;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context;
use cafe_events::Source;

use crate::settings::Settings;
use keeper::Keeper;
use signals::{Asked, Signals};

/// Runs until Ctrl-C or SIGTERM, or until its terminal is closed.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let place = settings.place()?;
    let _only_one = place.lock("up", "`cafe up`")?;
    let mut signals = Signals::new()?;

    // All are looked at before anything is started: what is refused changes nothing.
    let mut found = Vec::new();
    for service in Source::ALL {
        let arguments = arguments_for(service, settings)?;
        let running = takeover::find(&place, service, &arguments).await?;
        if running.is_none() {
            must_be_free(service, settings)?;
        }
        found.push(running);
    }
    let mut keepers = Vec::new();
    for (service, found) in Source::ALL.into_iter().zip(found) {
        let arguments = arguments_for(service, settings)?;
        keepers.push(Keeper::new(service, arguments, &settings.url(service), found));
    }
    let serving = tokio::select! {
        serving = all_serve(&keepers) => serving,
        asked = signals.next() => {
            end(asked, keepers, &mut signals).await;
            return Ok(ExitCode::SUCCESS);
        }
    };
    if !serving {
        close(keepers, &mut signals).await;
        return Ok(ExitCode::FAILURE);
    }
    greeting::print(settings);
    let asked = tokio::select! {
        asked = signals.next() => asked,
        () = wal_watch::run(&place, settings.wal_limit_mb, &keepers) => Asked::ToClose,
    };
    end(asked, keepers, &mut signals).await;
    Ok(ExitCode::SUCCESS)
}

/// Another cafe on this port would answer like ours, so the answers alone do not tell that ours could not start.
fn must_be_free(service: Source, settings: &Settings) -> anyhow::Result<()> {
    let taken = cafe_web::listen(settings.listen_at(service)).map(drop);
    taken.with_context(|| format!("the {service} service cannot start"))
}

/// What a child is started with. It reads no file and no environment: restarted, it is the same service again.
fn arguments_for(service: Source, settings: &Settings) -> anyhow::Result<Vec<OsString>> {
    let mut arguments: Vec<OsString> =
        [service.name(), "--watched", "--config", "/dev/null"].map(Into::into).into();
    arguments.extend(settings.flags_for(service)?);
    Ok(arguments)
}

/// Waits until every service answers; false as soon as one cannot start as it is set, which it has said itself.
async fn all_serve(keepers: &[Keeper]) -> bool {
    let mut looks: Vec<_> = keepers.iter().map(|keeper| Box::pin(keeper.serves())).collect();
    while !looks.is_empty() {
        let (serves, _, rest) = futures_util::future::select_all(looks).await;
        if !serves {
            return false;
        }
        looks = rest;
    }
    true
}

async fn end(asked: Asked, keepers: Vec<Keeper>, signals: &mut Signals) {
    match asked {
        Asked::ToClose => close(keepers, signals).await,
        Asked::ToLeave => tracing::warn!(
            "the terminal was closed: the services go on, watched over by nobody; the next `cafe up` takes them over"
        ),
    }
}

/// Ends the services in order: first the one that takes new orders. A second Ctrl-C kills what is left, which loses nothing
/// that was answered.
async fn close(keepers: Vec<Keeper>, signals: &mut Signals) {
    let in_order = async {
        for keeper in keepers {
            let service = keeper.service;
            keeper.stop().await;
            tracing::info!("the {service} service has ended");
        }
    };
    tokio::select! {
        () = in_order => {}
        () = signals.closing_asked() => tracing::warn!("ending without waiting"),
    }
}
