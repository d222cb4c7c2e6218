//! What came of a rush, for its owner or for a program.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::Rush;
use super::follow::Followed;
use super::screen::{counts, percentiles};
use super::tally::Tally;
use crate::audit::Verdict;
use crate::cli::print;

/// So many failures are shown; JSON has them all.
const SHOWN: usize = 20;

/// Everything that came of it.
pub(super) struct Outcome {
    pub(super) seed: u64,
    pub(super) rate: f64,
    pub(super) tokens: BTreeMap<&'static str, u32>,
    pub(super) took: Duration,
    pub(super) followed: Followed,
    pub(super) verdict: Vec<Verdict>,
}

impl Outcome {
    /// Prints it; answers whether all is well.
    pub(super) fn print(&self, rush: &Rush, as_json: bool) -> anyhow::Result<bool> {
        let tally = rush.tally.lock();
        let failures = self.failures(rush, &tally);
        let all_well = failures.is_empty() && self.verdict.iter().all(Verdict::is_kept);
        if as_json {
            print(&serde_json::to_string_pretty(&self.json(rush, &tally, &failures, all_well))?);
            return Ok(all_well);
        }
        print(&self.story(rush, &tally));
        for verdict in &self.verdict {
            print(&verdict.text());
        }
        for failure in failures.iter().take(SHOWN) {
            print(&format!("BROKEN    {failure}"));
        }
        if failures.len() > SHOWN {
            print(&format!("          … and {} more; --json shows all", failures.len() - SHOWN));
        }
        print(if all_well { "All that can be seen is as promised." } else { "Not all is as promised." });
        Ok(all_well)
    }

    /// What is wrong besides broken promises: customers who were not served, orders that did not end.
    fn failures(&self, rush: &Rush, tally: &Tally) -> Vec<String> {
        let mut failures = tally.failures.clone();
        if self.followed.no_barista {
            return failures;
        }
        let limit = rush.settle.as_secs();
        failures.extend(self.followed.unfinished.iter().map(|(order_id, status)| {
            format!("order {order_id} is still {status}, more than {limit} s after the last customer came (--settle gives more)")
        }));
        failures.extend(
            self.followed
                .open_payments
                .iter()
                .map(|order_id| format!("order {order_id} still has a question of money open")),
        );
        failures
    }

    fn story(&self, rush: &Rush, tally: &Tally) -> String {
        let mut lines = vec![
            format!(
                "{} customers at {}/s, seed {}: {} orders taken, in {:.1} s with all that followed",
                rush.customers(),
                self.rate,
                self.seed,
                orders(tally),
                self.took.as_secs_f64()
            ),
            format!("paid with   {}", counts(self.tokens.iter())),
            format!("answered in {} (from when a customer came)", percentiles(&tally.waits)),
            format!("            {} (the answered request alone)", percentiles(&tally.answers)),
            format!("now         {}", counts(tally.shown.iter())),
        ];
        if tally.sent_twice > 0 {
            lines.push(format!("sent twice  {}", tally.sent_twice));
        }
        if !tally.sent_again.is_empty() {
            lines.push(format!("sent again  {}", counts(tally.sent_again.iter())));
        }
        if !tally.cancels.is_empty() {
            lines.push(format!(
                "cancels     {}",
                counts(tally.cancels.iter().map(|(status, count)| (format!("{status}:"), count)))
            ));
        }
        if self.followed.no_barista {
            let waiting = self.followed.unfinished.len();
            lines.push(format!(
                "no barista  {waiting} paid orders wait to be made: start `cafe up --robot` for one"
            ));
        }
        lines.join("\n")
    }

    fn json(&self, rush: &Rush, tally: &Tally, failures: &[String], all_well: bool) -> Value {
        let shown: BTreeMap<String, u64> =
            tally.shown.iter().map(|(status, count)| (status.to_string(), *count)).collect();
        json!({
            "ok": all_well,
            "seed": self.seed,
            "rate": self.rate,
            "customers": rush.customers(),
            "orders": orders(tally),
            "took_ms": self.took.as_millis() as u64,
            "tokens": self.tokens,
            "waits": micros(&tally.waits),
            "answers": micros(&tally.answers),
            "sent_twice": tally.sent_twice,
            "sent_again": tally.sent_again,
            "cancels": tally.cancels,
            "shown": shown,
            "unfinished": self.followed.unfinished.len(),
            "no_barista": self.followed.no_barista,
            "failures": failures,
            "audits": self.verdict.iter().map(Verdict::json).collect::<Vec<_>>(),
        })
    }
}

fn orders(tally: &Tally) -> u64 {
    tally.shown.values().sum()
}

fn micros(histogram: &Histogram<u64>) -> Value {
    let at = |quantile| histogram.value_at_quantile(quantile);
    json!({
        "count": histogram.len(),
        "p50_us": at(0.5),
        "p90_us": at(0.9),
        "p99_us": at(0.99),
        "p999_us": at(0.999),
        "max_us": histogram.max(),
    })
}
