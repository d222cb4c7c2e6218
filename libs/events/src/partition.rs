//! Which partition of a topic a key belongs to: the same for every Kafka client of the default configuration (murmur2 of
//! `org.apache.kafka.common.utils.Utils`, then `toPositive` and the remainder, as in `BuiltInPartitioner`).

/// The partition of `key` among `partitions` (at least one), from 0.
pub fn partition_of(key: &str, partitions: i64) -> i64 {
    i64::from(murmur2(key.as_bytes()) & 0x7fff_ffff) % partitions.max(1)
}

fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const MIX: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(MIX);
        word = (word ^ (word >> 24)).wrapping_mul(MIX);
        hash = hash.wrapping_mul(MIX) ^ word;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let word = rest.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte));
        hash = (hash ^ word).wrapping_mul(MIX);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(MIX);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of Kafka's own test (`UtilsTest.testMurmur2`).
    #[test]
    fn keys_are_hashed_as_kafkas_own_clients_do() {
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), hash, "{text}");
        }
    }

    /// From the hashes above: without the sign's bit, and the remainder.
    #[test]
    fn a_key_is_in_the_partition_that_kafkas_own_clients_choose() {
        assert_eq!(["21", "foobar", "abc"].map(|key| partition_of(key, 12)), [0, 6, 3]);
    }

    #[test]
    fn a_partition_is_one_of_those_that_there_are() {
        assert!((0..100).all(|n| (0..12).contains(&partition_of(&n.to_string(), 12))));
        assert_eq!(partition_of("anything", 1), 0);
        assert_eq!(partition_of("anything", 0), 0);
    }
}
