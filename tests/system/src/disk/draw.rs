//! What chance decides, the same again for the same seed.

use cafe_clock::Ids;

/// Draws one number after the other.
#[derive(Debug)]
pub struct Draw(Ids);

impl Draw {
    /// From a seed.
    pub fn from_seed(seed: u64) -> Self {
        Self(Ids::seeded(seed))
    }

    /// One of 0 to `through`.
    pub fn through(&self, through: usize) -> usize {
        ((self.0.fraction() * (through as f64 + 1.0)) as usize).min(through)
    }

    /// True half of the time.
    pub fn coin(&self) -> bool {
        self.through(1) == 1
    }

    /// Any bytes.
    pub(super) fn bytes(&self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.fill(&mut bytes);
        bytes
    }
}
