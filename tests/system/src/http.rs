//! Requests one at a time, for looking at a cafe: plain blocking HTTP/1.1, a connection each.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::wire;

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// When to try again, in seconds, where it says so.
    pub retry_after: Option<u32>,
    /// The body as it came.
    pub body: String,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// Longer than any answer of a service that works takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// `GET`, with the staff key where one is given.
pub fn get(port: u16, path: &str, key: Option<&str>) -> Result<Answer> {
    let authorization = key.map(|key| format!("Bearer {key}"));
    send(port, |headers| wire::get(path, headers), authorization.as_deref())
}

/// `POST` of a JSON body, with the staff key where one is given.
pub fn post(port: u16, path: &str, key: Option<&str>, body: &str) -> Result<Answer> {
    let authorization = key.map(|key| format!("Bearer {key}"));
    send(port, |headers| wire::post(path, headers, body), authorization.as_deref())
}

/// `POST` of a JSON body with another header.
pub fn post_with(port: u16, path: &str, header: (&str, &str), body: &str) -> Result<Answer> {
    send(port, |headers| wire::post(path, &[headers, &[header]].concat(), body), None)
}

/// `GET` of a stream of events, read until `seen` is content with all that came so far, which is the answer.
///
/// # Errors
/// If the stream ends before, or is silent for as long as no service that works is.
pub fn follow(port: u16, path: &str, token: &str, seen: impl Fn(&str) -> bool) -> Result<String> {
    let authorization = format!("Bearer {token}");
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&wire::get(path, &[("authorization", &authorization)]))?;
    let (mut came, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&came);
        if seen(&text) {
            return Ok(text.into_owned());
        }
        let count = stream.read(&mut chunk).with_context(|| format!("after {text}"))?;
        anyhow::ensure!(count > 0, "the stream ended after {}", String::from_utf8_lossy(&came));
        came.extend_from_slice(&chunk[..count]);
    }
}

fn send(
    port: u16,
    request: impl Fn(&[(&str, &str)]) -> Vec<u8>,
    authorization: Option<&str>,
) -> Result<Answer> {
    let mut headers = vec![("connection", "close")];
    headers.extend(authorization.map(|value| ("authorization", value)));
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&request(&headers))?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer)
}

fn parse(answer: &[u8]) -> Result<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(answer)? else {
        anyhow::bail!("the answer ended within its head")
    };
    let status = response.code.context("an answer without a status")?;
    let retry_after = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("retry-after"));
    let retry_after =
        retry_after.and_then(|header| std::str::from_utf8(header.value).ok()?.trim().parse().ok());
    Ok(Answer { status, retry_after, body: String::from_utf8_lossy(&answer[head..]).into_owned() })
}
