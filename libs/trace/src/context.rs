//! The header `traceparent` (W3C Trace Context, <https://www.w3.org/TR/trace-context/>, section 3.2).

use std::fmt;

use cafe_clock::Ids;

/// Characters of a header: version, trace id, parent id and flags, as hex, with dashes between.
const LENGTH: usize = 55;
/// The caller may have recorded this trace.
const SAMPLED: u8 = 0x01;
/// The trace id is random (level 2 of the recommendation). Other flags are not to be passed on.
const RANDOM: u8 = 0x02;

/// A place in a trace: which trace, and which step of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Not zero.
    pub(crate) trace_id: u128,
    /// Not zero.
    pub(crate) span_id: u64,
    pub(crate) flags: u8,
}

impl TraceContext {
    /// What a caller's header says; nothing if it is not well-formed, for then the trace begins here.
    pub fn read(header: &str) -> Option<Self> {
        let version = hex(header, 0, 2)?;
        // What later versions add comes behind what is known (section 4).
        let is_whole =
            header.len() == LENGTH || (version > 0 && header.as_bytes().get(LENGTH) == Some(&b'-'));
        let has_dashes = [2, 35, 52].iter().all(|at| header.as_bytes().get(*at) == Some(&b'-'));
        let context = Self {
            trace_id: hex(header, 3, 32)?,
            span_id: hex(header, 36, 16)? as u64,
            flags: hex(header, 53, 2)? as u8 & (SAMPLED | RANDOM),
        };
        let is_valid = version != 0xff && context.trace_id != 0 && context.span_id != 0;
        (is_whole && has_dashes && is_valid).then_some(context)
    }

    /// The beginning of a trace that nobody has recorded so far.
    pub fn anew(ids: &Ids) -> Self {
        let mut random = [0; 24];
        ids.fill(&mut random);
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte));
        Self {
            trace_id: number(&random[..16]).max(1),
            span_id: (number(&random[16..]) as u64).max(1),
            flags: RANDOM,
        }
    }

    /// The trace's id as it is shown: 32 hex digits.
    pub fn trace_id(&self) -> impl fmt::Display + use<> {
        let trace_id = self.trace_id;
        fmt::from_fn(move |f| write!(f, "{trace_id:032x}"))
    }
}

/// As a header.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

/// Digits in lower case, as the recommendation demands.
fn hex(header: &str, from: usize, digits: usize) -> Option<u128> {
    let text = header.get(from..from + digits)?;
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_hex { u128::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_well_formed_travels_on_as_it_came() {
        let context = TraceContext::read(WHOLE).unwrap();
        assert_eq!(context.to_string(), WHOLE);
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    #[test]
    fn a_later_version_and_unknown_flags_travel_on_as_what_is_known_here() {
        for later in [
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-and more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-f9",
        ] {
            assert_eq!(TraceContext::read(later).unwrap().to_string(), WHOLE, "{later}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_ignored() {
        for broken in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47g6-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::read(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_trace_that_begins_here_is_new_each_time_and_well_formed() {
        let ids = Ids::seeded(3);
        let (first, second) = (TraceContext::anew(&ids), TraceContext::anew(&ids));
        assert_ne!(first.trace_id, second.trace_id);
        assert_eq!(TraceContext::read(&first.to_string()), Some(first));
    }
}
