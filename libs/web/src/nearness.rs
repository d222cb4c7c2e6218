//! From where a request comes: from this machine, or from anywhere else.

use std::net::SocketAddr;

use axum::http::request::Parts;

/// Marks a request that came by a connection from this machine itself. Without the mark it is a stranger's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OverLoopback;

/// What a proxy on this machine adds when it asks for somebody else (RFC 7239; the others are older customs).
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Whether a connection from `peer` is one of this machine to itself. A socket for IPv6 shows IPv4 as a part of it.
pub(crate) fn is_loopback(peer: SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback()
}

/// Whether the one who asks is on this machine, rather than behind a proxy there.
pub(crate) fn is_from_this_machine(request: &Parts) -> bool {
    let is_forwarded = || FORWARDED.iter().any(|name| request.headers.contains_key(*name));
    request.extensions.get::<OverLoopback>().is_some() && !is_forwarded()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_in_both_spellings_and_nobody_else_is() {
        for (peer, is_this_machine) in [
            ("127.0.0.1:9", true),
            ("127.0.0.2:9", true),
            ("[::1]:9", true),
            ("[::ffff:127.0.0.1]:9", true),
            ("192.168.0.7:9", false),
            ("[::ffff:192.168.0.7]:9", false),
            ("[fe80::1]:9", false),
        ] {
            assert_eq!(is_loopback(peer.parse().unwrap()), is_this_machine, "{peer}");
        }
    }
}
