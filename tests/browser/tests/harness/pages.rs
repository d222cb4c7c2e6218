//! Small pages on a port of this machine.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// What every clean page begins with: a title, a language, an icon that asks nobody.
const HEAD: &str = r#"<!doctype html><html lang="ko"><meta charset="utf-8"><title>카페</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">"#;

/// Serves until the test's process ends.
pub(crate) struct Pages {
    pub(crate) origin: String,
}

impl Pages {
    /// One page, whatever is asked for, whose body this is.
    pub(crate) fn serving(body: &str) -> Self {
        Self::under("", body)
    }

    /// The same under a policy.
    pub(crate) fn under(policy: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("a bound port"));
        let page = format!("{HEAD}<main>{body}</main></html>");
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-security-policy: {policy}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{page}",
            page.len()
        );
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = answer.clone();
                // A browser opens connections that it does not use yet.
                thread::spawn(move || serve(stream, &answer));
            }
        });
        Self { origin }
    }
}

fn serve(mut stream: TcpStream, answer: &str) {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    if lines.any(|line| line.is_empty()) {
        let _ = stream.write_all(answer.as_bytes());
    }
}
