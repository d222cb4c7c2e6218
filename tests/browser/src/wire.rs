//! `WebDriver`'s requests (<https://www.w3.org/TR/webdriver2/>): JSON over HTTP/1.1, a connection each.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// Longer than a page may take to load.
const PATIENCE: Duration = Duration::from_secs(90);
const CHUNK_BYTES: usize = 64 * 1024;

/// `POST` of a JSON body; the answer's value.
///
/// # Errors
/// If there is no answer, or with what the driver says of a failure.
pub(crate) fn post(port: u16, path: &str, body: &Value) -> Result<Value> {
    send(port, "POST", path, &body.to_string())
}

/// `GET`; the answer's value.
pub(crate) fn get(port: u16, path: &str) -> Result<Value> {
    send(port, "GET", path, "")
}

fn send(port: u16, method: &str, path: &str, body: &str) -> Result<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).context("the driver does not listen")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    let answer = read(&mut stream).with_context(|| format!("no answer to {method} {path}"))?;
    value(&answer)
}

/// What came back.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

/// The driver keeps connections, so an answer ends where its head says.
fn read(stream: &mut TcpStream) -> Result<Answer> {
    let (mut came, mut chunk) = (Vec::new(), vec![0; CHUNK_BYTES]);
    loop {
        let count = stream.read(&mut chunk)?;
        ensure!(count > 0, "it ended after {} bytes", came.len());
        came.extend_from_slice(&chunk[..count]);
        if let Some(answer) = parse(&came)? {
            return Ok(answer);
        }
    }
}

/// None of an answer that has not come as a whole.
fn parse(came: &[u8]) -> Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(came)? else { return Ok(None) };
    let status = response.code.context("an answer without a status")?;
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length: usize = std::str::from_utf8(length.context("an answer without a length")?.value)?.parse()?;
    let body = came.get(head..head + length).map(<[u8]>::to_vec);
    Ok(body.map(|body| Answer { status, body }))
}

fn value(answer: &Answer) -> Result<Value> {
    let mut body: Value = serde_json::from_slice(&answer.body).context("an answer that is not JSON")?;
    let value = body["value"].take();
    if answer.status >= 400 {
        let message = value["message"].as_str().unwrap_or_default();
        let first = message.lines().next().unwrap_or_default();
        bail!("{}: {first}", value["error"].as_str().unwrap_or("unknown error"));
    }
    Ok(value)
}
