//! A service on a free port, and a caller that sees every byte.

use std::net::SocketAddr;

use axum::Router;
use cafe_clock::Ids;
use cafe_web::{Limits, listen, serve_within};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    served: JoinHandle<std::io::Result<()>>,
}

impl Service {
    pub(crate) fn start(router: Router) -> Self {
        Self::start_within(router, Limits::default())
    }

    pub(crate) fn start_within(router: Router, limits: Limits) -> Self {
        Self::start_stopped_by(CancellationToken::new(), router, limits)
    }

    pub(crate) fn start_on(address: &str, router: Router, limits: Limits) -> Self {
        Self::start_as(address, CancellationToken::new(), router, limits)
    }

    pub(crate) fn start_stopped_by(stop: CancellationToken, router: Router, limits: Limits) -> Self {
        Self::start_as("127.0.0.1:0", stop, router, limits)
    }

    fn start_as(address: &str, stop: CancellationToken, router: Router, limits: Limits) -> Self {
        let listeners = listen(address.parse().unwrap()).unwrap();
        let port = listeners.address().unwrap().port();
        let served = tokio::spawn(serve_within(listeners, router, Ids::seeded(1), stop.clone(), limits));
        Self { address: ([127, 0, 0, 1], port).into(), stop, served }
    }

    pub(crate) async fn call(&self) -> Caller {
        Caller::to(self.address).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call().await.ask(&format!("GET {path} HTTP/1.1\r\nhost: cafe\r\n\r\n")).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        content_type: Option<&str>,
        body: impl AsRef<[u8]>,
    ) -> Answer {
        let body = body.as_ref();
        let content_type = content_type.map_or(String::new(), |value| format!("content-type: {value}\r\n"));
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: cafe\r\n{content_type}content-length: {length}\r\n\r\n");
        let mut caller = self.call().await;
        caller.send(head.as_bytes()).await;
        caller.send(body).await;
        caller.answer().await
    }

    /// Stops the service and waits for its end.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
    }
}

pub(crate) struct Caller {
    pub(crate) stream: TcpStream,
    unread: Vec<u8>,
}

impl Caller {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), unread: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn ask(&mut self, request: &str) -> Answer {
        self.send(request.as_bytes()).await;
        self.answer().await
    }

    /// The next answer, which has a length.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.read_past(b"\r\n\r\n").await;
        let mut answer = Answer::of_head(&head);
        let length: usize = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.unread.len() < length {
            assert!(self.read_more().await, "the answer ends early");
        }
        answer.body = self.unread.drain(..length).collect();
        answer
    }

    /// Everything up to the end of `mark`.
    pub(crate) async fn read_past(&mut self, mark: &[u8]) -> String {
        loop {
            if let Some(at) = self.unread.windows(mark.len()).position(|window| window == mark) {
                return String::from_utf8(self.unread.drain(..at + mark.len()).collect()).unwrap();
            }
            assert!(self.read_more().await, "the connection ends before {:?}", String::from_utf8_lossy(mark));
        }
    }

    /// Everything until the connection closes.
    pub(crate) async fn rest(&mut self) -> String {
        while self.read_more().await {}
        String::from_utf8(std::mem::take(&mut self.unread)).unwrap()
    }

    /// False at the end of the connection.
    async fn read_more(&mut self) -> bool {
        self.stream.read_buf(&mut self.unread).await.unwrap_or(0) > 0
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn of_head(head: &str) -> Self {
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: Vec::new() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The problem's JSON, after a look at what every problem must have.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, slug: &str) -> Value {
        let problem = self.json();
        assert_eq!(self.status, status, "{problem}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(problem["type"], format!("urn:cafe:problem:{slug}"));
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string(), "{problem}");
        if matches!(status, 429 | 503) {
            assert!(self.header("retry-after").is_some(), "{}", self.head);
        }
        problem
    }
}
