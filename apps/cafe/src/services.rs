//! Runs one service in this process.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use cafe_clock::{Clock, Ids};
use cafe_events::Source;
use cafe_web::StartError;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::running::{Program, Running, written};
use crate::settings::Settings;

/// Threads that serve; the one that writes is another.
const WORKER_THREADS: usize = 2;
/// Threads that read from the database beside the writer.
const BLOCKING_THREADS_LIMIT: usize = 8;
/// A reading thread that has had nothing to do for so long ends, and gives its memory back.
const BLOCKING_THREAD_KEPT: Duration = Duration::from_secs(2);
/// How long reads that nobody waits for any more may hold up the end.
const LAST_READS_TIMEOUT: Duration = Duration::from_secs(1);
/// Exit code of a service that ran and had to end (`EX_SOFTWARE` of `sysexits.h`); it may be started again.
const HAD_TO_END: u8 = 70;

/// Runs `service` until SIGINT or SIGTERM. `watched` says that `cafe up` has started it.
pub(crate) fn run(service: Source, watched: bool, settings: &Settings) -> anyhow::Result<ExitCode> {
    let place = settings.place()?;
    let running = Running {
        process: std::process::id(),
        program: Program::this()?,
        arguments: std::env::args_os().skip(1).map(written).collect(),
        address: settings.address(service),
        listens_at: Some(settings.listen_at(service)),
        watched,
        started_at: Clock::Real.now(),
    };
    let _announced = running.announce(&place, service)?;
    let runtime = runtime()?;
    let outcome = runtime.block_on(async { serve(service, settings, stop_on_signals()?).await });
    runtime.shutdown_timeout(LAST_READS_TIMEOUT);
    outcome
}

async fn serve(service: Source, settings: &Settings, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let (clock, ids) = (Clock::Real, Ids::random());
    tracing::info!(process = std::process::id(), "the {service} service starts");
    let outcome = match service {
        Source::Order => cafe_order::run(order_config(settings)?, clock, ids, stop).await,
        Source::Payment => cafe_payment::run(payment_config(settings), clock, ids, stop).await,
        Source::Barista => cafe_barista::run(barista_config(settings), clock, ids, stop).await,
    };
    match outcome {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error @ StartError::Ended(_)) => {
            tracing::error!("{error}");
            Ok(HAD_TO_END.into())
        }
        Err(error) => Err(error).with_context(|| format!("the {service} service cannot start")),
    }
}

/// The key for staff; there is one once a service has run on this data folder.
pub(crate) fn staff_key(settings: &Settings) -> anyhow::Result<String> {
    let file = settings.data().join("staff.key");
    let key = std::fs::read_to_string(&file).with_context(|| {
        format!("the staff key {} cannot be read; name the cafe's folder with --data", file.display())
    })?;
    Ok(key.trim().to_owned())
}

fn order_config(settings: &Settings) -> anyhow::Result<cafe_order::Config> {
    Ok(cafe_order::Config {
        listen: settings.listen_at(Source::Order),
        store: settings.store.to_string(),
        currency: settings.currency,
        menu: settings.menu()?,
        zone: settings.time_zone.zone(),
        pay_by: settings.pay_by.0,
        rungs: settings.rungs(),
        ..cafe_order::Config::new(settings.data())
    })
}

pub(crate) fn payment_config(settings: &Settings) -> cafe_payment::Config {
    cafe_payment::Config {
        listen: settings.listen_at(Source::Payment),
        simulator_latency: settings.simulator_latency.0,
        rungs: settings.rungs(),
        ..cafe_payment::Config::new(settings.data())
    }
}

pub(crate) fn barista_config(settings: &Settings) -> cafe_barista::Config {
    let robot =
        cafe_barista::RobotConfig { speed: settings.robot_speed, baristas: settings.robot_baristas.into() };
    cafe_barista::Config {
        listen: settings.listen_at(Source::Barista),
        store: settings.store.to_string(),
        picked_up_after: settings.picked_up_after.0,
        uncollected_after: settings.uncollected_after.0,
        two_touch: settings.two_touch,
        robot: settings.robot.then_some(robot),
        rungs: settings.rungs(),
        ..cafe_barista::Config::new(settings.data())
    }
}

fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .max_blocking_threads(BLOCKING_THREADS_LIMIT)
        .thread_keep_alive(BLOCKING_THREAD_KEPT)
        .enable_all()
        .build()
        .context("the service's runtime cannot be started")
}

/// Cancelled at the first SIGINT or SIGTERM.
fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut heard = signal(kind).context("signals cannot be heard")?;
        let stop = stop.clone();
        tokio::spawn(async move {
            heard.recv().await;
            stop.cancel();
        });
    }
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use clap::Parser;

    use super::*;
    use crate::settings::Flags;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        flags: Flags,
    }

    #[test]
    fn a_child_that_is_started_with_its_flags_alone_is_set_as_up_was() {
        let set = "cafe --data /cafe --store east --currency USD --time-zone UTC --pay-by 90s --listen :: --order-port 1 \
             --payment-port 2 --barista-port 4 --robot --robot-speed 2.5 --robot-baristas 9 --picked-up-after 5m --two-touch --uncollected-after 3h \
             --simulator-latency 40ms --database postgres://u@localhost/{service} --kafka localhost:9092 \
             --kafka-options fetch.min.bytes=2 --replica b";
        // What looks like a flag, is long, or is finer than a millisecond.
        let odd = "cafe --data=/-d --store=-x --pay-by=1s500us --order-port 1 --payment-port 2 --barista-port 4 --robot \
             --database postgres://u@localhost/d --kafka=-h:1 --replica=--robot --simulator-latency 500us \
             --uncollected-after 9223372036854775807s";
        [set, odd].into_iter().for_each(starts_its_children_as_it_was_set);
    }

    fn starts_its_children_as_it_was_set(set: &str) {
        let up = settings(set.split_whitespace().map(OsString::from));
        for service in Source::ALL {
            let flags = up.flags_for(service).unwrap();
            let child = settings(std::iter::once("cafe".into()).chain(flags));
            assert_eq!(config(service, &child), config(service, &up));
            assert_ne!(config(service, &child), config(service, &settings(["cafe".into()].into_iter())));
        }
    }

    fn settings(arguments: impl Iterator<Item = OsString>) -> Settings {
        Settings::load(Only::parse_from(arguments).flags, Some(Path::new("/dev/null"))).unwrap()
    }

    fn config(service: Source, settings: &Settings) -> String {
        match service {
            Source::Order => format!("{:?}", order_config(settings).unwrap()),
            Source::Payment => format!("{:?}", payment_config(settings)),
            Source::Barista => format!("{:?}", barista_config(settings)),
        }
    }
}
