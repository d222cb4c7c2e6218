//! How a log is read, whatever it is kept in: `direct.rs` reads the speaker's own database, `kafka/` a topic.

pub(crate) mod direct;
pub(crate) mod kafka;
pub(crate) mod log;

use std::collections::BTreeMap;

use crate::tables::Position;
use crate::turn::Arrived;

/// Up to where each part of a log was heard.
pub type Parts = BTreeMap<i64, Position>;

/// Reads one speaker's log.
pub trait Carrier: Send {
    /// At most `limit` records that come next, none left out. Where the log has another name now, or ends before what was heard
    /// (it was restored from an older copy), reading starts at its oldest record.
    ///
    /// # Errors
    /// Why nothing can be heard at the moment (the speaker has no log yet), or ever (something is no longer kept).
    fn read_after(&mut self, heard: &Parts, limit: usize) -> Result<News, String>;

    /// Waits until there may be news.
    fn wait(&mut self);

    /// What traces call it: `messaging.system` of OpenTelemetry's conventions.
    fn system(&self) -> &'static str;

    /// Is told what is on disk now.
    fn taken_in(&mut self, _heard: &Parts) {}
}

/// What a carrier has read.
#[derive(Debug, Default)]
pub struct News {
    /// In the order of each part's log. With each: up to where its part was heard once it is taken in.
    pub records: Vec<(Arrived, Position)>,
    /// Where the parts of the log stood before. Whoever notes up to where it heard a log must know of all its parts: what was not
    /// heard of one of them is known by no other.
    pub parts: Vec<Position>,
    /// How many records come after what was heard before, those that were read included.
    pub behind: i64,
    /// The log has another name than before.
    pub is_another_log: bool,
}

/// What is said about an event that is gone before it was heard.
fn no_longer_kept(source: cafe_events::Source, position: i64) -> String {
    format!(
        "event {position} of {source} is no longer kept and was never heard here; restore a newer copy of this service"
    )
}
