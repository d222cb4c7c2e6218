//! One customer's connection to the order service, kept alive: as little between the request and the socket as HTTP/1.1
//! allows, for the rush shares its machine with the cafe.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A service on this machine takes a connection at once or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// A customer whose request is not answered by then sends it again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection, made when it is first needed and after it was lost.
#[derive(Debug)]
pub(super) struct Wire {
    address: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

/// Nothing came back; why, for the statistics.
pub(super) type Lost = &'static str;

impl Wire {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, sender: None }
    }

    /// Posts an order under an Idempotency-Key.
    pub(super) async fn post_order(&mut self, key: &str, body: Bytes) -> Result<Answer, Lost> {
        timeout(ANSWER_TIMEOUT, self.exchange(key, body)).await.unwrap_or(Err("no answer in 5 s"))
    }

    async fn exchange(&mut self, key: &str, body: Bytes) -> Result<Answer, Lost> {
        let mut sender = self.connection().await?;
        let request = Request::post("/orders")
            .header(HOST, HeaderValue::from_static("cafe"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("idempotency-key", key)
            .body(Full::new(body))
            .map_err(|_| "the request cannot be sent")?;
        let answer = sender.send_request(request).await.map_err(|_| "the connection was lost")?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|_| "the connection was lost")?.to_bytes();
        self.sender = Some(sender);
        let seconds = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(Answer { status: head.status, retry_after: seconds.map(Duration::from_secs), body })
    }

    /// The one that is kept, unless the service has closed it meanwhile.
    async fn connection(&mut self) -> Result<SendRequest<Full<Bytes>>, Lost> {
        if let Some(mut kept) = self.sender.take()
            && kept.ready().await.is_ok()
        {
            return Ok(kept);
        }
        connect(self.address).await
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, Lost> {
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
    let stream = stream.ok().and_then(Result::ok).ok_or("no connection")?;
    stream.set_nodelay(true).map_err(|_| "no connection")?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| "no connection")?;
    // It ends by itself when the sender is dropped.
    tokio::spawn(connection);
    Ok(sender)
}
