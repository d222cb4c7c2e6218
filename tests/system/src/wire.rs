//! HTTP/1.1 on a loopback connection, as cheap as it gets: the client must not be what a figure measures.
//!
//! One request at a time, answers with a `content-length`. Requests are bytes made beforehand.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A kept-alive connection.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// When to try again, in seconds, where it says so.
    pub retry_after: Option<u32>,
    /// The body, whole.
    pub body: &'a [u8],
}

impl Wire {
    /// Connects to a port of this machine.
    pub async fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a request made beforehand and waits for its answer.
    pub async fn send(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.read_more().await?;
            if let Some(head) = Head::of(&self.buffer)? {
                break head;
            }
        };
        let whole = head.length + head.content_length;
        while self.buffer.len() < whole {
            self.read_more().await?;
        }
        let Head { status, retry_after, .. } = head;
        Ok(Answer { status, retry_after, body: &self.buffer[head.length..whole] })
    }

    async fn read_more(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// A request with a JSON body.
pub fn post(path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let headers = lines(headers);
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

/// A request without a body.
pub fn get(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let headers = lines(headers);
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").into_bytes()
}

fn lines(headers: &[(&str, &str)]) -> String {
    headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect()
}

struct Head {
    status: u16,
    retry_after: Option<u32>,
    length: usize,
    content_length: usize,
}

impl Head {
    /// The head of an answer, once it is there whole.
    fn of(bytes: &[u8]) -> Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(bytes).map_err(|fault| Error::new(ErrorKind::InvalidData, fault))?;
        let httparse::Status::Complete(length) = parsed else { return Ok(None) };
        let number = |name: &str| {
            let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(header.value).ok()?.trim().parse::<u32>().ok()
        };
        let content_length = number("content-length")
            .ok_or_else(|| Error::new(ErrorKind::InvalidData, "an answer without a content-length"))?;
        let (status, retry_after) = (response.code.unwrap_or(0), number("retry-after"));
        Ok(Some(Self { status, retry_after, length, content_length: content_length as usize }))
    }
}

#[cfg(test)]
mod tests {
    use super::Head;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";
        assert!(Head::of(&answer[..30]).unwrap().is_none());
        let head = Head::of(answer).unwrap().unwrap();
        assert_eq!((head.status, head.content_length, head.length), (201, 2, answer.len() - 2));
    }

    #[test]
    fn an_answer_of_unknown_length_is_refused() {
        assert!(Head::of(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
