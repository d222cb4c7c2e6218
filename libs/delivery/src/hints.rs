//! What is told after a commit: to those who listen to this service, to its relay, and to its other replicas. Hints only.

use std::collections::BTreeMap;

use cafe_events::Source;
use cafe_store::{Notice, Notices, Notifier, Server};

use crate::domain::Elsewhere;
use crate::wake::{Bell, Signal};

/// Texts that one turn sends to other replicas at most; past it they are told that they have missed something.
const TEXTS_LIMIT: usize = 16;
/// Stands for everything that may have happened.
const EVERYTHING: &str = "*";

/// Told by the writer's thread. It never waits.
#[derive(Default)]
pub(crate) struct Hints {
    /// Listeners on this machine.
    pub(crate) bell: Option<Bell>,
    /// This process's relay.
    pub(crate) relay: Option<Signal>,
    /// Whoever else uses the database's server.
    pub(crate) others: Option<Others>,
}

/// The way to other processes through the server.
pub(crate) struct Others {
    notifier: Notifier,
    channel: String,
    /// Whose words are not for itself.
    replica: String,
}

impl Hints {
    /// After a commit that announced something, or did something that other replicas should know of.
    pub(crate) fn tell(&self, announced: bool, news: &[String], leads: bool) {
        if announced {
            self.bell.iter().for_each(Bell::ring);
            self.relay.iter().for_each(Signal::ring);
        }
        // Of what a topic carries only the relay need know, and with whoever leads it is here.
        let is_told = leads && self.relay.is_some();
        if let Some(others) = &self.others
            && (announced && !is_told || !news.is_empty())
        {
            others.say(news);
        }
    }
}

impl Others {
    pub(crate) fn new(notifier: Notifier, speaker: Source, replica: &str) -> Self {
        Self { notifier, channel: channel(speaker), replica: replica.to_owned() }
    }

    fn say(&self, news: &[String]) {
        let mut texts = vec![self.replica.clone()];
        for line in news {
            let fits = texts.last().is_some_and(|text| text.len() + 1 + line.len() <= Notifier::LONGEST);
            if !fits {
                texts.push(self.replica.clone());
            }
            if let Some(text) = texts.last_mut() {
                text.push('\n');
                text.push_str(line);
            }
        }
        if texts.len() > TEXTS_LIMIT {
            texts = vec![format!("{}\n{EVERYTHING}", self.replica)];
        }
        for text in texts {
            self.notifier.say(&self.channel, &text);
        }
    }
}

/// What is heard through the server, and whom it wakes.
pub(crate) struct Hearing {
    pub(crate) own: Source,
    pub(crate) replica: String,
    /// By whom it is about.
    pub(crate) signals: BTreeMap<Source, Signal>,
    pub(crate) on_elsewhere: Box<dyn Fn(Elsewhere<'_>) + Send>,
}

impl Hearing {
    /// Begins to hear; what was said before is missed. Hints do not leave their database: where a peer has one of its own, it
    /// is listened to there.
    pub(crate) fn start(self, server: &Server, peers: &BTreeMap<Source, Server>) -> Notifier {
        let mut heard = vec![channel(self.own)];
        for (source, signal) in self.signals.iter().filter(|(source, _)| **source != self.own) {
            match peers.get(source) {
                Some(peer) if !peer.is_beside(server) => hear_elsewhere(peer, *source, signal.clone()),
                _ => heard.push(channel(*source)),
            }
        }
        let (mut notices, notifier) = Notices::start(server, heard);
        tokio::spawn(async move {
            while let Some(notice) = notices.next().await {
                self.take(&notice);
            }
        });
        notifier
    }

    fn take(&self, notice: &Notice) {
        match notice {
            Notice::Missed => {
                self.signals.values().for_each(Signal::ring);
                (self.on_elsewhere)(Elsewhere::Missed);
            }
            Notice::Said { channel: on, text } => {
                if let Some((_, signal)) = self.signals.iter().find(|(source, _)| channel(**source) == *on) {
                    signal.ring();
                }
                let (replica, news) = text.split_once('\n').unwrap_or((text, ""));
                if *on == channel(self.own) && replica != self.replica {
                    for line in news.lines() {
                        let what = if line == EVERYTHING { Elsewhere::Missed } else { Elsewhere::Said(line) };
                        (self.on_elsewhere)(what);
                    }
                }
            }
        }
    }
}

fn hear_elsewhere(peer: &Server, source: Source, signal: Signal) {
    let (mut notices, _) = Notices::start(peer, vec![channel(source)]);
    tokio::spawn(async move {
        while notices.next().await.is_some() {
            signal.ring();
        }
    });
}

fn channel(speaker: Source) -> String {
    format!("cafe_{speaker}")
}
