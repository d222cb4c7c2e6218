//! What the payment service is told at its start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cafe_delivery::Rungs;
/// A vendor that takes longer than this to answer is not asked at all.
const LATENCY_LIMIT: Duration = crate::vendor::READ_TIMEOUT;

/// Every setting, decided.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it answers HTTP.
    pub listen: SocketAddr,
    /// The cafe's data folder.
    pub data: PathBuf,
    /// What it uses beyond the folder.
    pub rungs: Rungs,
    /// How long each answer of the simulator takes at the least.
    pub simulator_latency: Duration,
}

impl Config {
    /// The defaults, for the cafe in the folder `data`: port 3001, and a simulator that answers at once.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3001)),
            data: data.into(),
            rungs: Rungs::default(),
            simulator_latency: Duration::ZERO,
        }
    }

    /// Says what is wrong with a setting, and what would be right.
    pub fn check(&self) -> Result<(), String> {
        if self.simulator_latency >= LATENCY_LIMIT {
            return Err(format!(
                "the simulator's latency must be less than {} s, not {} s",
                LATENCY_LIMIT.as_secs(),
                self.simulator_latency.as_secs_f64()
            ));
        }
        Ok(())
    }
}
