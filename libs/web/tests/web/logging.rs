//! What is written down about a request, and what never is.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::{get, post};
use cafe_web::{JsonBody, Problem};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::Service;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn a_request_is_one_line_without_its_query_body_or_key() {
    let lines = Lines::default();
    // For all tests of this program: `tracing` remembers which lines are wanted across threads.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(lines.clone())
        .init();
    let failing = || async { Problem::internal("the disk is upside down") };
    let router = Router::new()
        .route("/logged/{order_id}", get(|| async {}))
        .route("/logged", post(|_: JsonBody<Vec<u8>>| async {}))
        .route("/logged/failing", get(failing));
    let service = Service::start(router);

    service.get("/logged/7?token=confidential").await;
    service.post("/logged", Some("application/json"), "{\"card\":\"confidential\"}").await;
    let request = "GET /logged/7 HTTP/1.1\r\nhost: cafe\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nauthorization: Bearer confidential\r\n\r\n";
    service.call().await.ask(request).await;
    let answer = service.get("/logged/failing?token=confidential").await;
    assert!(!answer.text().contains("upside down"), "why is for the log only");
    service.end().await;

    let text = lines.text();
    let requests: Vec<&str> = text.lines().filter(|line| line.contains("path=\"/logged")).collect();
    assert_eq!(requests.len(), 4, "{requests:#?}");
    assert!(
        requests[0].contains("DEBUG") && requests[0].contains("path=\"/logged/{order_id}\""),
        "{}",
        requests[0]
    );
    assert!(requests[2].contains("trace_id=4bf92f3577b34da6a3ce929d0e0e4736"), "{}", requests[2]);
    assert!(requests[3].contains("WARN") && requests[3].contains("upside down"), "{}", requests[3]);
    assert!(!text.contains("confidential"), "{text}");
}
