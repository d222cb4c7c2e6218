//! Runs seeds.
use cafe_simulation::run::run;
fn main() {
    let from: u64 = std::env::args().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    let count: u64 = std::env::args().nth(2).and_then(|it| it.parse().ok()).unwrap_or(1000);
    let started = std::time::Instant::now();
    let mut steps = 0;
    let mut bad = std::collections::BTreeMap::new();
    let mut coverage = cafe_simulation::coverage::Coverage::default();
    for seed in from..from + count {
        let outcome = run(seed, None, false);
        steps += outcome.steps;
        coverage.add(&outcome.coverage);
        if !outcome.broken.is_empty() {
            let b = &outcome.broken[0];
            let e = bad.entry(b.promise.clone()).or_insert((0, seed, b.found.clone()));
            e.0 += 1;
        }
    }
    let t = started.elapsed().as_secs_f64();
    println!("{count} seeds, {steps} steps in {t:.2}s: {:.0} seeds/s {:.0} steps/s", count as f64 / t, steps as f64 / t);
    for (p, (n, seed, found)) in bad { println!("{n:>5} x {p} (seed {seed}): {found}"); }
    if count > 1 { println!("{}", coverage.table()); }
    if count == 1 {
        let outcome = run(from, None, false);
        let left = cafe_simulation::run::shrink(from, None, &outcome);
        println!("{}", cafe_simulation::run::replay(from, None, left, true).story);
    }
}
