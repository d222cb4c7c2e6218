//! Hints between processes through the server (LISTEN and NOTIFY). They may be lost; behind each stands a slow poll.

use std::time::Duration;

use futures_util::{StreamExt, pin_mut};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client};

use super::wire;
use crate::Server;

/// Hints that wait to be sent, or to be heard; past it they are dropped.
const WAITING_LIMIT: usize = 1_024;
/// The longest text that the server takes (`src/include/commands/async.h`: less than 8,000 bytes).
const LONGEST: usize = 7_900;
/// Before the server is tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Each text on its channel.
const SAY: &str =
    "SELECT pg_notify(channel, text) FROM UNNEST($1::text[], $2::text[]) AS said (channel, text)";
/// A hint takes a transaction, and that would wait for the disk; nothing is kept of it that a power cut could take.
const NOT_KEPT: &str = "SET synchronous_commit = off";

/// What is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something that was said on a channel.
    Said {
        /// Which.
        channel: String,
        /// What.
        text: String,
    },
    /// Hearing begins, or begins again: something may have been missed.
    Missed,
}

/// Hears.
#[derive(Debug)]
pub struct Notices(mpsc::Receiver<Notice>);

/// Speaks; clones share it.
#[derive(Clone, Debug)]
pub struct Notifier(mpsc::Sender<(String, String)>);

impl Notices {
    /// Hears what is said on `channels` in the server's database, and speaks on any. Ends when both are dropped.
    pub fn start(server: &Server, channels: Vec<String>) -> (Self, Notifier) {
        let (say, to_say) = mpsc::channel(WAITING_LIMIT);
        let (hear, heard) = mpsc::channel(WAITING_LIMIT);
        tokio::spawn(work(server.clone(), channels, to_say, hear));
        (Self(heard), Notifier(say))
    }

    /// The next; nothing at the end.
    pub async fn next(&mut self) -> Option<Notice> {
        self.0.recv().await
    }
}

impl Notifier {
    /// Says something without waiting. What is too long, or finds no room, is not said.
    pub fn say(&self, channel: &str, text: &str) {
        if text.len() <= LONGEST {
            let _ = self.0.try_send((channel.to_owned(), text.to_owned()));
        }
    }

    /// The most bytes that can be said at once.
    pub const LONGEST: usize = LONGEST;
}

async fn work(
    server: Server,
    channels: Vec<String>,
    mut to_say: mpsc::Receiver<(String, String)>,
    hear: mpsc::Sender<Notice>,
) {
    loop {
        if let Err(error) = session(&server, &channels, &mut to_say, &hear).await {
            tracing::debug!(%error, "hints are not heard at the moment");
        }
        if to_say.is_closed() && hear.is_closed() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Until the connection ends, or nobody is there any more.
async fn session(
    server: &Server,
    channels: &[String],
    to_say: &mut mpsc::Receiver<(String, String)>,
    hear: &mpsc::Sender<Notice>,
) -> Result<(), String> {
    let connected = tokio::time::timeout(PATIENCE, wire::connect(&server.config)).await;
    let (client, mut messages) =
        connected.map_err(|_| "no answer".to_owned())?.map_err(|error| error.to_string())?;
    let speaking = async {
        listen(&client, channels).await?;
        let _ = hear.try_send(Notice::Missed);
        let mut words = Vec::new();
        while to_say.recv_many(&mut words, WAITING_LIMIT).await > 0 {
            let (channels, texts) = said_once(&mut words);
            tokio::time::timeout(PATIENCE, client.execute(SAY, &[&channels, &texts]))
                .await
                .map_err(|_| "no answer".to_owned())?
                .map_err(|error| error.to_string())?;
        }
        hear.closed().await;
        Ok(())
    };
    pin_mut!(speaking);
    loop {
        tokio::select! {
            ended = &mut speaking => return ended,
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(said))) => {
                    let notice =
                        Notice::Said { channel: said.channel().to_owned(), text: said.payload().to_owned() };
                    let _ = hear.try_send(notice);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.to_string()),
                None => return Err("the connection ended".to_owned()),
            },
        }
    }
}

/// What has come together, each only once: a hint is worth no more for being repeated.
fn said_once(words: &mut Vec<(String, String)>) -> (Vec<String>, Vec<String>) {
    words.sort_unstable();
    words.dedup();
    words.drain(..).unzip()
}

async fn listen(client: &Client, channels: &[String]) -> Result<(), String> {
    client.batch_execute(NOT_KEPT).await.map_err(|error| error.to_string())?;
    for channel in channels {
        client.batch_execute(&format!("LISTEN {channel}")).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}
