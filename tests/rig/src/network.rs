//! The networks that this machine is on.

use std::net::{IpAddr, Ipv4Addr};

/// The IPv4 addresses that others call this machine at, as the kernel routes to them; none if it is on no network.
pub fn own_addresses() -> Vec<IpAddr> {
    let table = std::fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    let mut ips: Vec<Ipv4Addr> = Vec::new();
    let mut last: Option<Ipv4Addr> = None;
    for line in table.lines() {
        if let Some((_, leaf)) = line.split_once("|-- ") {
            last = leaf.trim().parse().ok();
        } else if line.contains("/32 host LOCAL") {
            ips.extend(last);
        }
    }
    ips.retain(|ip| !ip.is_loopback());
    ips.sort_unstable();
    ips.dedup();
    ips.into_iter().map(IpAddr::from).collect()
}
