//! Taking a port, with a sentence when that fails.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

/// Why a service cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens there.
    #[error("port {port} is in use on {ip}; stop the program that uses it, or choose another port", port = .0.port(), ip = .0.ip())]
    InUse(SocketAddr),
    /// Ports below 1024 are not for everyone.
    #[error("port {port} is not open to this user; choose one from 1024 on", port = .0.port())]
    Forbidden(SocketAddr),
    /// Anything else.
    #[error("cannot listen on {address}: {reason}")]
    Impossible {
        /// Where.
        address: SocketAddr,
        /// Why.
        reason: String,
    },
}

/// Listens on `address`; port 0 takes any free one.
///
/// # Errors
/// A sentence for the person at the terminal.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    let told = |error: std::io::Error| match error.kind() {
        ErrorKind::AddrInUse => BindError::InUse(address),
        ErrorKind::PermissionDenied => BindError::Forbidden(address),
        _ => BindError::Impossible { address, reason: error.to_string() },
    };
    let listener = TcpListener::bind(address).map_err(told)?;
    listener.set_nonblocking(true).map_err(told)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_refused_with_its_number() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = first.local_addr().unwrap();
        let sentence = bind(address).unwrap_err().to_string();
        assert!(sentence.starts_with(&format!("port {} is in use", address.port())), "{sentence}");
    }
}
