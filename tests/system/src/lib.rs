//! A real cafe in a folder of its own, customers for it, and the means to do it harm.
//!
//! Nothing here knows an app's code: the program is started as anybody would start it, spoken to over HTTP, and looked at
//! through `/proc`. The bench stands on the same harness.

pub mod disk;
pub mod http;
pub mod proc;
pub mod wire;

mod cafe;
mod control;
mod harm;
mod kafka_harm;
mod look;
mod nest;
mod program;
mod replica;
mod rung;
mod rush;
mod service;
mod wait;

pub use cafe::{Cafe, ROBOT};
pub use harm::Outage;
pub use kafka_harm::KafkaHarm;
pub use nest::{Consumer, Emitter, Foreign, Nest};
pub use program::{program, use_program};
pub use rung::{Rung, Site};
pub use rush::{Post, Rush, Rushed};
pub use service::Service;
pub use wait::{MOMENT, Waited, wait_until};
