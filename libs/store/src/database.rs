//! Where a database is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Stands for the service's name in a server's address.
const SERVICE: &str = "{service}";

/// A service's database, wherever it is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Database {
    /// A file of `SQLite`.
    File(PathBuf),
    /// A schema on a server of `PostgreSQL`, or of what speaks its protocol.
    Server(Server),
}

/// A schema on a server.
#[derive(Clone, PartialEq)]
pub struct Server {
    pub(crate) config: Box<tokio_postgres::Config>,
    pub(crate) schema: String,
}

/// Why an address of a server cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it {0}; write postgres://user:password@host:5432/name, where {{service}} stands for order, payment or barista"
)]
pub struct ServerError(String);

impl Server {
    /// The schema `cafe_<service>` in the database that `address` names, or, where `{service}` stands in the address, in a
    /// database that the service has for itself.
    pub fn of_service(address: &str, service: &str) -> Result<Self, ServerError> {
        if !address.starts_with("postgres://") && !address.starts_with("postgresql://") {
            return Err(ServerError("is no address of PostgreSQL".to_owned()));
        }
        let mut config = tokio_postgres::Config::from_str(&address.replace(SERVICE, service))
            .map_err(|error| ServerError(format!("cannot be read ({error})")))?;
        if config.get_hosts().is_empty() {
            return Err(ServerError("names no host".to_owned()));
        }
        if config.get_ssl_mode() == tokio_postgres::config::SslMode::Require && !cfg!(feature = "tls") {
            return Err(ServerError("asks for TLS, which this program was built without".to_owned()));
        }
        if config.get_dbname().is_none() {
            return Err(ServerError("names no database".to_owned()));
        }
        config.application_name(format!("cafe {service}"));
        Ok(Self { config: Box::new(config), schema: format!("cafe_{service}") })
    }

    /// Whether both are in the same database of the same server.
    pub fn is_beside(&self, other: &Self) -> bool {
        let place = |server: &Self| {
            let config = &server.config;
            (config.get_hosts().to_vec(), config.get_ports().to_vec(), config.get_dbname().map(str::to_owned))
        };
        place(self) == place(other)
    }

    /// The schema.
    pub fn schema(&self) -> &str {
        &self.schema
    }
}

impl Database {
    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }

    /// The server, if it is on one.
    pub fn server(&self) -> Option<&Server> {
        match self {
            Self::File(_) => None,
            Self::Server(server) => Some(server),
        }
    }
}

impl From<&Path> for Database {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&PathBuf> for Database {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&Database> for Database {
    fn from(database: &Database) -> Self {
        database.clone()
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(server) => write!(f, "{server}"),
        }
    }
}

/// Without the password.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match self.config.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(tokio_postgres::config::Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        let name = self.config.get_dbname().unwrap_or_default();
        write!(f, "schema {} of database {name} at {host}:{port}", self.schema)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password_and_may_differ_by_service() {
        let server = Server::of_service("postgres://cafe:secret@db.example:6432/cafe", "order").unwrap();
        assert_eq!(format!("{server:?}"), "schema cafe_order of database cafe at db.example:6432");
        let own = Server::of_service("postgres://cafe@localhost/{service}_db", "payment").unwrap();
        assert_eq!(own.to_string(), "schema cafe_payment of database payment_db at localhost:5432");
        assert!(!own.is_beside(&server));
        let peer = Server::of_service("postgres://cafe:secret@db.example:6432/cafe", "payment").unwrap();
        assert!(peer.is_beside(&server));
    }

    #[test]
    fn a_wrong_address_is_answered_with_a_right_one() {
        for wrong in ["", "mysql://a/b", "postgres://", "postgres://u@h", "postgres://u@h/d?sslmode=perhaps"]
        {
            let error = Server::of_service(wrong, "order").unwrap_err().to_string();
            assert!(error.contains("write postgres://user:password@host:5432/name"), "{wrong}: {error}");
        }
    }

    #[test]
    fn tls_is_spoken_by_a_program_that_was_built_for_it() {
        let asked = Server::of_service("postgres://u@h/d?sslmode=require", "order");
        assert_eq!(asked.is_ok(), cfg!(feature = "tls"), "{asked:?}");
    }
}
