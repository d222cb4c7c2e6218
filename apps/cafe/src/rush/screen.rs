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
        let (through, message) = {
            let tally = rush.tally.lock();
            (tally.through, rows(&tally, rush.began).join("\n"))
        };
        bar.set_position(through);
        bar.set_message(message);
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
        let line = {
            let tally = rush.tally.lock();
            let seconds = rush.began.elapsed().as_secs();
            format!(
                "{seconds:>4} s  {}/{} customers; {}",
                tally.through,
                rush.customers(),
                rows(&tally, rush.began).join("; ")
            )
        };
        let mut err = std::io::stderr().lock();
        let _ = std::io::Write::write_all(&mut err, format!("{line}\n").as_bytes());
    }
}

fn rows(tally: &Tally, began: Instant) -> Vec<String> {
    let mut rows = Vec::new();
    if tally.through > 0 {
        let rate = tally.through as f64 / began.elapsed().as_secs_f64().max(0.001);
        let answered = percentiles(&tally.waits);
        rows.push(if rate > 1.0 {
            format!("answered in {answered}, {rate:.0}/s overall")
        } else {
            format!("answered in {answered}")
        });
    }
    if !tally.sent_again.is_empty() {
        rows.push(format!("sent again: {}", counts(tally.sent_again.iter())));
    }
    if !tally.shown.is_empty() {
        rows.push(counts(tally.shown.iter()));
    }
    if !tally.failures.is_empty() {
        rows.push(format!("{} failures", tally.failures.len()));
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
