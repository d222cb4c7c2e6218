//! Keeps one service running: starts it, watches its health, starts it again when it ends.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use cafe_events::Source;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::process::{Exit, Process, this_program};
use super::restarts::Restarts;
use crate::client::Client;

/// A service that has not answered for this long is killed.
const HEALTH_LIMIT: Duration = Duration::from_secs(15);
/// So long may a start take: a database that was left with a long log is brought in order first.
const START_LIMIT: Duration = Duration::from_mins(1);
/// And at least so many questions in a row went unanswered: time also passes while `up` itself is frozen.
const UNANSWERED_LIMIT: u32 = 5;
/// Between two looks at a service that answers.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at one that starts.
const LOOK_AT_START_EVERY: Duration = Duration::from_millis(10);
/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a service may take to end when it is asked to.
pub(super) const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// Exit codes of a service that cannot start as it is set.
const REFUSED: [Exit; 2] = [Exit::Code(1), Exit::Code(2)];

/// The way to a keeper's task.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) service: Source,
    standing: watch::Receiver<Standing>,
    instructions: mpsc::Sender<Instruction>,
    task: JoinHandle<()>,
}

/// How a service stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has never answered yet.
    Starting,
    /// It has answered. `process` is none between an end and the next start; `answers` is about the latest look.
    Serving { process: Option<u32>, answers: bool },
    /// It cannot start as it is set, and has said why.
    Refused,
    /// It was asked to end, and has.
    Stopped,
}

/// What may be asked of a keeper.
#[derive(Debug)]
pub(super) enum Instruction {
    /// End the service, and do not start it again.
    Stop,
    /// Kill it, for this reason; it is started again.
    Kill(String),
}

impl Keeper {
    /// Starts `service` with `arguments`, or goes on with the process that was found running.
    pub(super) fn new(service: Source, arguments: Vec<OsString>, url: &str, found: Option<Process>) -> Self {
        let (standing, seen) = watch::channel(Standing::Starting);
        let (instructions, orders) = mpsc::channel(4);
        let keeping = Keeping {
            service,
            arguments,
            health_url: format!("{url}/health/live"),
            client: Client::new(ANSWER_TIMEOUT),
            standing,
            orders,
        };
        Self { service, standing: seen, instructions, task: tokio::spawn(keeping.run(found)) }
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// Waits until the service answers; false if it cannot start as it is set.
    pub(super) async fn serves(&self) -> bool {
        let mut standing = self.standing.clone();
        let decided = standing.wait_for(|standing| *standing != Standing::Starting).await;
        decided.is_ok_and(|standing| matches!(*standing, Standing::Serving { .. }))
    }

    /// Kills the service; it is started again.
    pub(super) fn kill(&self, why: String) {
        // A full queue means that it is being killed already.
        let _ = self.instructions.try_send(Instruction::Kill(why));
    }

    /// Ends the service, by force if it does not end by itself.
    pub(super) async fn stop(self) {
        let _ = self.instructions.send(Instruction::Stop).await;
        let _ = self.task.await;
    }
}

/// The task behind a [`Keeper`].
struct Keeping {
    service: Source,
    arguments: Vec<OsString>,
    health_url: String,
    client: Client,
    standing: watch::Sender<Standing>,
    orders: mpsc::Receiver<Instruction>,
}

/// Why a watch over a process is over.
enum Over {
    Ended(Exit),
    Killed,
    Stopped,
}

impl Keeping {
    async fn run(mut self, mut found: Option<Process>) {
        let mut restarts = Restarts::default();
        loop {
            let process = match found.take() {
                Some(process) => Ok(process),
                None => Process::start(&this_program(), &self.arguments),
            };
            let healthy = match process {
                Ok(process) => match self.see_through(process).await {
                    Some(healthy) => healthy,
                    None => return,
                },
                Err(error) => {
                    tracing::error!("the {} service cannot be started: {error}", self.service);
                    Duration::ZERO
                }
            };
            if self.stopped_within(restarts.pause_after(healthy)).await {
                return self.tell(Standing::Stopped);
            }
        }
    }

    /// Watches over a process to its end; answers how long it was healthy, or nothing if it is not to be started again.
    async fn see_through(&mut self, mut process: Process) -> Option<Duration> {
        let mut answered_first = None;
        let over = self.watch(&mut process, &mut answered_first).await;
        let exit = match over {
            Over::Stopped => {
                process.stop(STOP_PATIENCE).await;
                self.tell(Standing::Stopped);
                return None;
            }
            Over::Killed => process.kill().await,
            Over::Ended(exit) => exit,
        };
        if *self.standing.borrow() == Standing::Starting && REFUSED.contains(&exit) {
            self.tell(Standing::Refused);
            return None;
        }
        tracing::warn!("the {} service {exit}; starting it again", self.service);
        self.standing.send_if_modified(|standing| match standing {
            Standing::Serving { process, answers } => {
                (*process, *answers) = (None, false);
                true
            }
            _ => false,
        });
        Some(answered_first.map_or(Duration::ZERO, |at: Instant| at.elapsed()))
    }

    async fn watch(&mut self, process: &mut Process, answered_first: &mut Option<Instant>) -> Over {
        let id = process.id();
        tokio::select! {
            exit = process.exited() => Over::Ended(exit),
            () = watch_health(&self.client, &self.health_url, &self.standing, id, answered_first) => {
                tracing::error!("the {} service does not answer; killing it", self.service);
                Over::Killed
            }
            order = self.orders.recv() => match order {
                Some(Instruction::Kill(why)) => {
                    tracing::error!("killing the {} service: {why}", self.service);
                    Over::Killed
                }
                Some(Instruction::Stop) | None => Over::Stopped,
            }
        }
    }

    /// Waits before the next start; true if there is to be none.
    async fn stopped_within(&mut self, pause: Duration) -> bool {
        let until = tokio::time::Instant::now() + pause;
        loop {
            match tokio::time::timeout_at(until, self.orders.recv()).await {
                Err(_) => return false,
                Ok(Some(Instruction::Kill(_))) => {}
                Ok(Some(Instruction::Stop) | None) => return true,
            }
        }
    }

    fn tell(&self, standing: Standing) {
        self.standing.send_replace(standing);
    }
}

/// Completes when the service has not answered for too long.
async fn watch_health(
    client: &Client,
    url: &str,
    standing: &watch::Sender<Standing>,
    process: Option<u32>,
    answered_first: &mut Option<Instant>,
) {
    let (mut answered_last, mut unanswered) = (Instant::now(), 0);
    loop {
        let asked = Instant::now();
        let answers = client.get(url).await.is_ok_and(|answer| answer.status.is_success());
        if answers {
            (answered_last, unanswered) = (Instant::now(), 0);
            answered_first.get_or_insert(answered_last);
        } else {
            unanswered += 1;
        }
        if answered_first.is_some() {
            let now = Standing::Serving { process, answers };
            standing.send_if_modified(|before| std::mem::replace(before, now.clone()) != now);
        }
        let (limit, pause) = match answered_first {
            Some(_) => (HEALTH_LIMIT, LOOK_EVERY),
            None => (START_LIMIT, LOOK_AT_START_EVERY.max(answered_last.elapsed() / 50)),
        };
        if unanswered >= UNANSWERED_LIMIT && answered_last.elapsed() >= limit {
            return;
        }
        tokio::time::sleep(pause.saturating_sub(asked.elapsed())).await;
    }
}
