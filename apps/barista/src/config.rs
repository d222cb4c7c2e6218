//! What the barista service is told at its start.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use cafe_delivery::Rungs;
/// Speeds of the robot that make sense: slower, and one drink takes a shift; faster than a turn, and nothing is gained.
const SPEEDS: RangeInclusive<f64> = 0.01..=1_000_000.0;

/// Every setting, decided.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it answers HTTP.
    pub listen: SocketAddr,
    /// The cafe's data folder.
    pub data: PathBuf,
    /// What it uses beyond the folder.
    pub rungs: Rungs,
    /// The store whose queue is shown where none is named.
    pub store: String,
    /// A ticket that has been ready for this long counts as picked up: whoever hands drinks over need not say so.
    pub picked_up_after: Duration,
    /// A ticket that has been ready for this long is given up; sooner than `picked_up_after`, none counts as picked up by itself.
    pub uncollected_after: Duration,
    /// Staff say when they start an order. Otherwise the next one starts by itself when the one before it is ready, so one touch
    /// for each order is enough.
    pub two_touch: bool,
    /// Who makes the drinks where no person does.
    pub robot: Option<RobotConfig>,
}

/// A barista that starts and finishes tickets by the menu's times, and customers who come for them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RobotConfig {
    /// How many times as fast as the menu says, 0.01 to 1,000,000.
    pub speed: f64,
    /// How many drinks are made at the same time in each store; at least 1.
    pub baristas: usize,
}

impl Config {
    /// The defaults, for the cafe in the folder `data`.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3002)),
            data: data.into(),
            rungs: Rungs::default(),
            store: "main".to_owned(),
            picked_up_after: Duration::from_mins(10),
            uncollected_after: Duration::from_hours(2),
            two_touch: false,
            robot: None,
        }
    }
}

impl Default for RobotConfig {
    /// As fast as the menu says. Four drinks at a time serve about one order every three seconds; a thousand times as fast,
    /// three hundred a second.
    fn default() -> Self {
        Self { speed: 1.0, baristas: 4 }
    }
}

impl Config {
    /// Says what is wrong with a setting, and what would be right.
    pub fn check(&self) -> Result<(), String> {
        match self.robot {
            Some(robot) if !SPEEDS.contains(&robot.speed) => Err(format!(
                "the robot's speed must be {} to {}, such as 1 or 10, not {}",
                SPEEDS.start(),
                SPEEDS.end(),
                robot.speed
            )),
            Some(RobotConfig { baristas: 0, .. }) => Err("the robot needs at least one barista".to_owned()),
            _ => Ok(()),
        }
    }
}
