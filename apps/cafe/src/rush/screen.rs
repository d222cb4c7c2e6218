//! How a rush is watched while it lasts: a table on a terminal, a line every second elsewhere.

use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Rush;
use super::tally::Tally;

/// A table is redrawn so often.
const REDRAWN_EVERY: Duration = Duration::from_millis(200);
/// A line is written so often.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// Shows the rush until it is dropped.
pub(super) async fn show(rush: &Rush) {
    if rush.quiet {
        std::future::pending::<()>().await;
    }
    if std::io::stderr().is_terminal() { table(rush).await } else { lines(rush).await }
}

async fn table(rush: &Rush) {
    let bar = ProgressBar::with_draw_target(Some(rush.customers()), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {bar:40} {pos}/{len} customers\n{msg}")
    {
        bar.set_style(style);
    }
    let _cleared = Cleared(&bar);
    let mut ticks = interval(REDRAWN_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let (through, rows) = {
            let tally = rush.tally.lock();
            (tally.through, rows(&tally, rush.began))
        };
        let rows: Vec<String> = rows.iter().map(|(name, text)| format!("  {name:<12}{text}")).collect();
        bar.update(|state| state.set_pos(through));
        bar.set_message(rows.join("\n"));
    }
}

/// Whatever comes next is written where the table was.
struct Cleared<'a>(&'a ProgressBar);

impl Drop for Cleared<'_> {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

async fn lines(rush: &Rush) {
    let mut ticks = interval(LINE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let rows = rows(&rush.tally.lock(), rush.began);
        let rows: Vec<String> = rows.iter().map(|(name, text)| format!("; {name} {text}")).collect();
        let (seconds, through) = (rush.began.elapsed().as_secs(), rush.tally.lock().through);
        let line = format!("{seconds:>4} s  {through}/{} customers{}", rush.customers(), rows.concat());
        let mut err = std::io::stderr().lock();
        let _ = std::io::Write::write_all(&mut err, format!("{line}\n").as_bytes());
    }
}

/// What is known so far, each with its name.
fn rows(tally: &Tally, began: Instant) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if tally.through > 0 {
        let rate = tally.through as f64 / began.elapsed().as_secs_f64().max(0.001);
        rows.push(("answered in", format!("{}; {rate:.0} customers/s overall", percentiles(&tally.waits))));
    }
    if !tally.shown.is_empty() {
        rows.push(("orders", counts(tally.shown.iter())));
    }
    if !tally.sent_again.is_empty() {
        rows.push(("sent again", counts(tally.sent_again.iter())));
    }
    if !tally.failures.is_empty() {
        rows.push(("failures", tally.failures.len().to_string()));
    }
    rows
}

/// `placed 3, paid 5`.
pub(super) fn counts<K: std::fmt::Display, V: std::fmt::Display>(
    counts: impl Iterator<Item = (K, V)>,
) -> String {
    let mut text = String::new();
    for (name, count) in counts {
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{comma}{name} {count}");
    }
    text
}

/// Percentiles of a histogram of microseconds.
pub(super) fn percentiles(histogram: &Histogram<u64>) -> String {
    let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
    format!("p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", at(0.5), at(0.99), histogram.max() as f64 / 1_000.0)
}
