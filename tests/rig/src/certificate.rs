//! A certificate for servers on loopback, to be trusted by who is told of it and by nobody else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::folder::Folder;
use crate::machine::{found_or_installed, on_path};

const HEADERS: &str = "/usr/include/openssl/ssl.h";

/// A certificate that is its own authority, with its key. Good for two days.
#[derive(Debug)]
pub struct Certificate(Folder);

impl Certificate {
    /// For `127.0.0.1` and `localhost`.
    ///
    /// # Errors
    /// If `openssl` is missing and cannot be installed.
    pub fn for_loopback() -> Result<Self> {
        let new = Self(Folder::new()?);
        let mut command = Command::new(program()?);
        command.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ]);
        command.args(["-subj", "/CN=cafe's tests", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]);
        command.arg("-keyout").arg(new.key()).arg("-out").arg(new.path());
        let output = command.stdin(Stdio::null()).output().context("openssl does not start")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "openssl req: {}", error.trim());
        Ok(new)
    }

    /// The certificate, as PEM.
    pub fn path(&self) -> PathBuf {
        self.0.path().join("certificate.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }

    /// Key and certificate in one file, as Kafka has it.
    pub(crate) fn both(&self) -> Result<PathBuf> {
        let both = self.0.path().join("both.pem");
        fs::write(&both, fs::read_to_string(self.key())? + &fs::read_to_string(self.path())?)?;
        Ok(both)
    }
}

/// Installs what the program needs to be built with TLS.
///
/// # Errors
/// Say what is missing and how to come by it.
pub fn prepare_tls() -> Result<()> {
    program()?;
    let headers = || Some(Path::new(HEADERS).to_owned()).filter(|it| it.exists());
    found_or_installed("header of OpenSSL", &["libssl-dev"], headers)?;
    found_or_installed("pkg-config", &["pkg-config"], || on_path("pkg-config")).map(drop)
}

fn program() -> Result<PathBuf> {
    found_or_installed("openssl", &["openssl"], || on_path("openssl"))
}
