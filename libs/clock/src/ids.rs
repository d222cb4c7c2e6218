//! Ids and randomness, real or from a seed.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use uuid::Uuid;

/// Where ids, keys and jitter come from. Clones share one generator.
#[derive(Clone)]
pub struct Ids(Arc<Mutex<StdRng>>);

impl Ids {
    /// From the operating system's randomness; good for secrets (the generator is cryptographic).
    #[expect(clippy::disallowed_methods, reason = "the one place where randomness enters")]
    pub fn random() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_rng(&mut rand::rng()))))
    }

    /// The same ids again for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// A version 7 UUID (RFC 9562): its first 48 bits are `now` in milliseconds, so that ids made later sort later and
    /// tables grow at their end.
    pub fn uuid(&self, now: Timestamp) -> Uuid {
        let mut random = [0; 10];
        self.fill(&mut random);
        uuid::Builder::from_unix_timestamp_millis(now.as_millisecond().max(0) as u64, &random).into_uuid()
    }

    /// Fills `bytes` with randomness.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }

    /// A number in `0.0..1.0`, for jitter and draws.
    pub fn fraction(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random()
    }
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ids")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_later_ids_sort_later() {
        let (a, b) = (Ids::seeded(7), Ids::seeded(7));
        let early = crate::from_ms(1_000_000);
        let late = crate::from_ms(1_000_001);
        assert_eq!(a.uuid(early), b.uuid(early));
        assert!(a.uuid(early) < b.uuid(late));
    }
}
