//! How others reach this machine: its addresses on the networks that it is on.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// What a service that listens on `listen` can be called at from other machines, the likeliest first. None if it listens for
/// this machine alone, or if this machine is on no network at the moment.
///
/// An IPv6 address that means another machine on each network (link-local) is left out: no browser takes it.
pub(crate) fn addresses(listen: IpAddr) -> Vec<IpAddr> {
    if !listen.is_unspecified() {
        return if listen.is_loopback() { Vec::new() } else { vec![listen] };
    }
    in_order(&of_this_machine(), listen.is_ipv6(), way_out())
}

/// The addresses of all interfaces that are up; none if the system does not tell.
fn of_this_machine() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.iter().filter(|interface| interface.is_oper_up()).map(if_addrs::Interface::ip).collect()
}

/// The address that this machine shows on its way to the rest of the world, which is the network that phones are on, rather than
/// one of containers. Nothing is sent: only the routes are asked.
fn way_out() -> Option<IpAddr> {
    // Kept for documents (RFC 5737): whatever way leads there, leads out.
    const FAR_AWAY: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 1), 9);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(FAR_AWAY).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// First the way out, then IPv4, then those that a machine gave itself because nobody else did, and last IPv6.
fn in_order(all: &[IpAddr], with_ipv6: bool, way_out: Option<IpAddr>) -> Vec<IpAddr> {
    let is_reached = |ip: &&IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_loopback(),
        IpAddr::V6(ip) => with_ipv6 && !ip.is_loopback() && !ip.is_unicast_link_local(),
    };
    let place = |ip: &IpAddr| match ip {
        ip if Some(*ip) == way_out => 0,
        IpAddr::V4(ip) if !ip.is_link_local() => 1,
        IpAddr::V4(_) => 2,
        IpAddr::V6(_) => 3,
    };
    let mut reached: Vec<IpAddr> = all.iter().filter(is_reached).copied().collect();
    reached.sort_by_key(place);
    reached.dedup();
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_network_that_leads_out_is_named_first_and_what_nobody_can_call_is_not() {
        let all = ips(&[
            "127.0.0.1",
            "::1",
            "169.254.9.9",
            "172.17.0.1",
            "192.168.0.7",
            "fe80::7",
            "fd00::7",
            "2001:db8::7",
        ]);
        let way_out = Some("192.168.0.7".parse().unwrap());
        assert_eq!(in_order(&all, false, way_out), ips(&["192.168.0.7", "172.17.0.1", "169.254.9.9"]));
        let with_ipv6 = ["172.17.0.1", "192.168.0.7", "169.254.9.9", "fd00::7", "2001:db8::7"];
        assert_eq!(in_order(&all, true, None), ips(&with_ipv6));
    }

    #[test]
    fn one_address_is_itself_and_this_machine_alone_is_none() {
        assert_eq!(addresses("192.168.0.7".parse().unwrap()), ips(&["192.168.0.7"]));
        for own in ["127.0.0.1", "127.0.0.2", "::1"] {
            assert_eq!(addresses(own.parse().unwrap()), ips(&[]), "{own}");
        }
    }
}
