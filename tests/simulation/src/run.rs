//! A schedule from its seed: what happens, then the end of all faults, then the judgement.

use crate::again::hear_again;
use crate::bugs::Bug;
use crate::choose::Chooser;
use crate::config::Config;
use crate::coverage::Coverage;
use crate::judge::{Broken, judge};
use crate::settle::settle;
use crate::trace::Trace;
use crate::transition::Transition;
use crate::twin;
use crate::world::World;

/// At the end of one schedule in so many everything is heard again.
const HEARD_AGAIN: u64 = 16;

/// What a schedule came to.
pub struct Outcome {
    /// Promises that were broken.
    pub broken: Vec<Broken>,
    /// Steps taken.
    pub steps: u64,
    /// What happened when.
    pub coverage: Coverage,
    /// The story, where it was to be told.
    pub story: String,
    /// What happened before faults ended.
    pub transitions: Vec<Transition>,
}

/// Runs the schedule of a seed.
pub fn run(seed: u64, bug: Option<Bug>, is_told: bool) -> Outcome {
    let config = Config::of(seed, bug);
    let trace = if is_told { Trace::told() } else { Trace::default() };
    let mut world = World::new(config, trace);
    let mut chooser = Chooser::new(seed);
    let length = world.config.length;
    let mut transitions = Vec::with_capacity(length);
    for _ in 0..length {
        let transition = chooser.next(&mut world);
        world.happens(&transition);
        // Also what came to nothing: somebody may have looked at something, and know it now.
        transitions.push(transition);
    }
    end(world, transitions)
}

/// Runs a schedule of which it is known what happens.
pub fn replay(seed: u64, bug: Option<Bug>, transitions: Vec<Transition>, is_told: bool) -> Outcome {
    let trace = if is_told { Trace::told() } else { Trace::default() };
    let mut world = World::new(Config::of(seed, bug), trace);
    for transition in &transitions {
        world.happens(transition);
    }
    end(world, transitions)
}

fn end(mut world: World, transitions: Vec<Transition>) -> Outcome {
    let is_settled = settle(&mut world);
    let mut broken = judge(&mut world);
    if !is_settled {
        broken.push(Broken {
            number: 9,
            promise: "once faults end, everything comes to rest".to_owned(),
            found: "there is always something left to do".to_owned(),
        });
    }
    if broken.is_empty() && world.config.seed.is_multiple_of(HEARD_AGAIN) {
        broken = hear_again(&mut world);
    }
    broken.extend(twin::judge(&mut world));
    for broken in &broken {
        world.trace.tell(world.steady, "BROKEN", &format!("{}: {}", broken.promise, broken.found));
    }
    let steps = world.steps;
    Outcome { broken, steps, coverage: world.coverage, story: world.trace.story(), transitions }
}

/// The shortest schedule found that breaks one of the same promises: what happens is left out, more and more finely, for as long
/// as one of them breaks without it.
pub fn shrink(seed: u64, bug: Option<Bug>, outcome: &Outcome) -> Vec<Transition> {
    let promises: Vec<String> = outcome.broken.iter().map(|broken| broken.promise.clone()).collect();
    let breaks = |transitions: &[Transition]| {
        let again = replay(seed, bug, transitions.to_vec(), false);
        again.broken.iter().any(|broken| promises.contains(&broken.promise))
    };
    let mut left = outcome.transitions.clone();
    if !breaks(&left) {
        return left;
    }
    let mut size = left.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < left.len() {
            let mut without = left.clone();
            without.drain(from..(from + size).min(left.len()));
            if breaks(&without) {
                left = without;
            } else {
                from += size;
            }
        }
        size /= 2;
    }
    left
}
