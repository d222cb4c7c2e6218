//! Logs on standard error: lines for people on a terminal, JSON otherwise; `CAFE_LOG` filters them.
//!
//! Nothing that is logged may stop a service: a terminal that stands still loses lines, one that is gone loses all.

mod format;
mod writer;

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use format::{ForPeople, ForPrograms};
pub(crate) use writer::Flush;
use writer::Lines;

/// Starts logging as `process` (a service's name, `up`, …). Keep what it answers until the end: it writes out the last lines.
///
/// # Errors
/// If `CAFE_LOG` cannot be read as a filter.
pub(crate) fn start(process: &'static str, usual: &str) -> anyhow::Result<Flush> {
    let wanted = std::env::var("CAFE_LOG").unwrap_or_default();
    let wanted = if wanted.is_empty() { usual.to_owned() } else { wanted };
    let filter = EnvFilter::builder().parse(&wanted).with_context(|| {
        format!("CAFE_LOG is {wanted:?}; write a level such as info or debug, or cafe_delivery=debug,info")
    })?;
    let (lines, flush) = Lines::to_standard_error();
    let layer = Layer::new().with_writer(lines).log_internal_errors(false);
    let registry = tracing_subscriber::registry().with(filter);
    if std::io::stderr().is_terminal() {
        registry.with(layer.event_format(ForPeople { process })).init();
    } else {
        registry.with(layer.event_format(ForPrograms { process })).init();
    }
    log_panics();
    Ok(flush)
}

/// A panic is one line among the others, and cannot fail on a closed terminal.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let why = panic.payload_as_str().unwrap_or("no reason given");
        tracing::error!(place, "a part of the program failed: {why}");
    }));
}
