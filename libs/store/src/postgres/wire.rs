//! The way to the server: with TLS where its address asks for it (`sslmode=require`).

use std::pin::Pin;

use futures_util::Stream;
use futures_util::stream::poll_fn;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls};

use super::session::{Trouble, told};
use crate::Error;

/// What the server says unasked. Polled to its end it carries everything else.
pub(super) type Messages = Pin<Box<dyn Stream<Item = Result<AsyncMessage, tokio_postgres::Error>> + Send>>;

pub(super) async fn connect(config: &Config) -> Result<(Client, Messages), Error> {
    #[cfg(feature = "tls")]
    if config.get_ssl_mode() == tokio_postgres::config::SslMode::Require {
        let connector = tls::connector()?;
        return config.connect(connector).await.map(carried).map_err(|error| refused(&error));
    }
    config.connect(NoTls).await.map(carried).map_err(|error| refused(&error))
}

fn carried<S, T>((client, mut connection): (Client, Connection<S, T>)) -> (Client, Messages)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    (client, Box::pin(poll_fn(move |cx| connection.poll_message(cx))))
}

/// Before a session there is nothing that could have been done.
fn refused(error: &tokio_postgres::Error) -> Error {
    match told(error) {
        Trouble::Told(error) => error,
        Trouble::Gone(reason) => Error::Busy(reason),
    }
}

#[cfg(feature = "tls")]
mod tls {
    use std::sync::OnceLock;

    use openssl::ssl::{SslConnector, SslMethod};
    use postgres_openssl::MakeTlsConnector;

    use crate::Error;

    /// The server has to show a certificate for its host's name, from an authority that this machine trusts or that the file
    /// `SSL_CERT_FILE` names. All connections share what is read of them.
    pub(super) fn connector() -> Result<MakeTlsConnector, Error> {
        static CONNECTOR: OnceLock<MakeTlsConnector> = OnceLock::new();
        if let Some(connector) = CONNECTOR.get() {
            return Ok(connector.clone());
        }
        let made = SslConnector::builder(SslMethod::tls())
            .map_err(|error| Error::Busy(format!("no TLS: {error}")))?;
        Ok(CONNECTOR.get_or_init(|| MakeTlsConnector::new(made.build())).clone())
    }
}
