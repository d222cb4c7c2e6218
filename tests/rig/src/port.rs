//! A port of the loopback interface that stays ours while nobody listens on it.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

use anyhow::{Context, Result};
use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with};

/// A bound socket that never listens. Whoever sets `SO_REUSEADDR`, as servers do, can listen on its port; no other program is
/// given the port meanwhile, so that a server that was killed finds it free again.
#[derive(Debug)]
pub(crate) struct Port {
    _held: OwnedFd,
    number: u16,
}

impl Port {
    pub(crate) fn free() -> Result<Self> {
        let held = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        set_socket_reuseaddr(&held, true)?;
        bind(&held, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
        let number = SocketAddr::try_from(getsockname(&held)?)?.port();
        Ok(Self { _held: held, number })
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}
