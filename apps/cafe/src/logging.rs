//! Logs on standard error: lines for people on a terminal, JSON otherwise; `CAFE_LOG` filters them.
//!
//! Nothing that is logged may stop a service: a terminal that stands still loses lines, one that is gone loses all.

mod format;
mod writer;

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::Layer;
use tracing_subscriber::layer::{Layer as _, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use format::{ForPeople, ForPrograms};
use writer::{Flush, Lines};

use crate::traces::{self, Asked, Export};

/// What is to be kept until the end: it sends the last spans, then writes out the last lines.
pub(crate) struct Logging {
    _export: Option<Export>,
    _flush: Flush,
}

/// Starts logging as `process` (a service's name, `up`, …), and traces it if that is `traced`.
///
/// # Errors
/// If `CAFE_LOG` cannot be read as a filter.
pub(crate) fn start(process: &'static str, usual: &str, traced: bool) -> anyhow::Result<Logging> {
    let wanted = std::env::var("CAFE_LOG").unwrap_or_default();
    let wanted = if wanted.is_empty() { usual.to_owned() } else { wanted };
    let filter = EnvFilter::builder().parse(&wanted).with_context(|| {
        format!("CAFE_LOG is {wanted:?}; write a level such as info or debug, or cafe_delivery=debug,info")
    })?;
    let (lines, flush) = Lines::to_standard_error();
    let layer = Layer::new().with_writer(lines).log_internal_errors(false);
    let layer = if std::io::stderr().is_terminal() {
        layer.event_format(ForPeople { process }).boxed()
    } else {
        layer.event_format(ForPrograms { process }).boxed()
    };
    let asked = if traced { traces::asked() } else { Asked::Nothing };
    let export = match &asked {
        Asked::Export(endpoint) => Some(traces::export(process, endpoint)?),
        Asked::Nothing | Asked::Impossible(_) => None,
    };
    match &export {
        Some(export) => {
            tracing_subscriber::registry().with(layer.with_filter(filter)).with(export.layer()).init();
        }
        // For all of it, and not for a layer: nothing that the log does not want is even begun.
        None => tracing_subscriber::registry().with(layer).with(filter).init(),
    }
    log_panics();
    match asked {
        Asked::Export(endpoint) => tracing::info!(endpoint, "traces are exported"),
        Asked::Impossible(reason) => tracing::warn!(reason, "traces are not exported"),
        Asked::Nothing => {}
    }
    Ok(Logging { _export: export, _flush: flush })
}

/// A panic is one line among the others, and cannot fail on a closed terminal.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let why = panic.payload_as_str().unwrap_or("no reason given");
        tracing::error!(place, "a part of the program failed: {why}");
    }));
}
