//! Somebody else who uses the server. Written by <https://www.postgresql.org/docs/current/protocol-message-formats.html>.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Result, ensure};

const PATIENCE: Duration = Duration::from_secs(5);
/// Version 3.0 of the protocol.
const VERSION: u32 = 3 << 16;

/// A connection that a stranger holds.
#[derive(Debug)]
pub(crate) struct Held(TcpStream);

impl Held {
    /// Connects as the rig's user, who needs no password.
    ///
    /// # Errors
    /// The server has no connection left, or ends this one.
    pub(crate) fn take(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut held = Self(stream);
        let who = b"user\0cafe\0database\0postgres\0application_name\0stranger\0\0";
        let length = (8 + who.len()) as u32;
        held.0.write_all(&[&length.to_be_bytes()[..], &VERSION.to_be_bytes(), who].concat())?;
        held.until_ready()?;
        Ok(held)
    }

    /// Runs SQL and waits for its end, whatever it answers.
    pub(crate) fn run(&mut self, sql: &str) -> Result<()> {
        let length = (4 + sql.len() + 1) as u32;
        self.0.write_all(&[b"Q", &length.to_be_bytes()[..], sql.as_bytes(), b"\0"].concat())?;
        self.until_ready()
    }

    fn until_ready(&mut self) -> Result<()> {
        loop {
            let mut head = [0; 5];
            self.0.read_exact(&mut head)?;
            let [kind, length @ ..] = head;
            let mut body = vec![0; (u32::from_be_bytes(length) as usize).saturating_sub(4)];
            self.0.read_exact(&mut body)?;
            ensure!(kind != b'E', "{}", String::from_utf8_lossy(&body));
            if kind == b'Z' {
                return Ok(());
            }
        }
    }
}
