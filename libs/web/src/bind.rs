//! Taking a port, with a sentence when that fails.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use rustix::net::sockopt::ipv6_v6only;

/// Why a service cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens there.
    #[error("port {port} is in use on {ip}; stop the program that uses it, or choose another port", port = .0.port(), ip = .0.ip())]
    InUse(SocketAddr),
    /// Ports below 1024 are not for everyone.
    #[error("port {port} is not open to this user; choose one from 1024 on", port = .0.port())]
    Forbidden(SocketAddr),
    /// It is mistyped, or the network that gives it is not up yet.
    #[error("this machine does not have the address {ip}; listen on one that it has, or on all with 0.0.0.0", ip = .0.ip())]
    NotHere(SocketAddr),
    /// Anything else.
    #[error("cannot listen on {address}: {reason}")]
    Impossible {
        /// Where.
        address: SocketAddr,
        /// Why.
        reason: String,
    },
}

/// Where a service takes connections: on the address that it was told, and on 127.0.0.1 in any case.
///
/// Whoever watches over a service on its machine calls it there, whatever others call it.
#[derive(Debug)]
pub struct Listeners {
    told: TcpListener,
    /// Where `told` leaves 127.0.0.1 out.
    own: Option<TcpListener>,
}

impl Listeners {
    /// The address that it was told, with the port that it got.
    ///
    /// # Errors
    /// The socket is not one any more.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.told.local_addr()
    }

    /// The sockets, as many as it takes.
    pub(crate) fn sockets(self) -> (TcpListener, Option<TcpListener>) {
        (self.told, self.own)
    }
}

impl From<TcpListener> for Listeners {
    /// This socket and no other.
    fn from(told: TcpListener) -> Self {
        Self { told, own: None }
    }
}

/// Listens on `address`, and on the same port of 127.0.0.1 where that is not among what `address` stands for.
///
/// # Errors
/// As [`bind()`].
pub fn listen(address: SocketAddr) -> Result<Listeners, BindError> {
    let told = bind(address)?;
    let own = if takes_loopback(&told, address.ip()) {
        None
    } else {
        let port = told.local_addr().map_or(address.port(), |address| address.port());
        Some(bind((Ipv4Addr::LOCALHOST, port).into())?)
    };
    Ok(Listeners { told, own })
}

/// `::` stands for IPv4 too, unless the machine is set otherwise (`ipv6(7)`, `IPV6_V6ONLY`).
fn takes_loopback(listener: &TcpListener, ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_unspecified() || ip == Ipv4Addr::LOCALHOST,
        IpAddr::V6(ip) => ip.is_unspecified() && ipv6_v6only(listener).is_ok_and(|only| !only),
    }
}

/// Listens on `address` alone; port 0 takes any free one.
///
/// # Errors
/// A sentence for the person at the terminal.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    let told = |error: io::Error| match error.kind() {
        ErrorKind::AddrInUse => BindError::InUse(address),
        ErrorKind::PermissionDenied => BindError::Forbidden(address),
        ErrorKind::AddrNotAvailable => BindError::NotHere(address),
        _ => BindError::Impossible { address, reason: error.to_string() },
    };
    let listener = TcpListener::bind(address).map_err(told)?;
    listener.set_nonblocking(true).map_err(told)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_port_in_use_is_refused_with_its_number() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = first.local_addr().unwrap();
        let sentence = bind(address).unwrap_err().to_string();
        assert!(sentence.starts_with(&format!("port {} is in use", address.port())), "{sentence}");
    }

    #[test]
    fn an_address_of_another_machine_is_refused_by_name() {
        // Kept for documents (RFC 5737), so no machine has it.
        let sentence = listen("203.0.113.9:0".parse().unwrap()).unwrap_err().to_string();
        assert!(sentence.starts_with("this machine does not have the address 203.0.113.9"), "{sentence}");
    }

    #[test]
    fn whatever_a_service_listens_on_its_own_machine_reaches_it() {
        for (told, also_at) in
            [("127.0.0.1", None), ("0.0.0.0", Some("127.0.0.2")), ("127.0.0.2", Some("127.0.0.2"))]
        {
            let listeners = listen((told.parse::<IpAddr>().unwrap(), 0).into()).unwrap();
            let port = listeners.address().unwrap().port();
            let reaches = |ip: &str| TcpStream::connect((ip, port)).is_ok();
            assert!(reaches("127.0.0.1"), "{told}");
            assert!(also_at.is_none_or(reaches), "{told}");
            assert!(also_at.is_some() || !reaches("127.0.0.2"), "{told} is not more than it says");
        }
    }

    #[test]
    fn all_of_ipv6_is_all_of_ipv4_too() {
        match listen("[::]:0".parse().unwrap()) {
            Ok(listeners) => {
                let port = listeners.address().unwrap().port();
                assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
                assert!(TcpStream::connect(("::1", port)).is_ok());
            }
            Err(error) => println!("not tried, for this machine has no IPv6: {error}"),
        }
    }
}
