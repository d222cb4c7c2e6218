//! A vendor inside the program, with a durable record of its own, as a real one has. The customer's token says what happens:
//!
//! | token | |
//! |---|---|
//! | `tok_ok` | approved |
//! | `tok_declined` | declined |
//! | `tok_slow` | approved, after 5 s |
//! | `tok_timeout` | approved, but the answer never comes |
//! | `tok_late` | no answer, not found for 30 s, then approved |
//! | `tok_error` | an error of the vendor's; approved on a new attempt |
//! | `tok_never` | no answer, not found for good |
//! | `tok_refund_timeout` | approved; a refund is made, but its answer never comes |
//! | any other | declined as `invalid_token` |
//!
//! For everyone at once, [`outage`] makes it fail while it runs.

mod clerk;
pub mod outage;
pub mod record;

use std::path::Path;
use std::time::Duration;

use cafe_store::OpenError;
use tokio::sync::{mpsc, oneshot};

use super::{ChargeRequest, RefundRequest};
use crate::payment::attempt::{ChargeAnswer, Finding};
use crate::payment::refund::RefundAnswer;
use crate::timer::Timer;
use clerk::{Call, Clerk};
use outage::{Outage, OutageFile};

/// The vendor's own file within the data folder.
pub const FILE: &str = "simulator.sqlite";
/// How long `tok_slow` and the outage `slow` take.
pub const SLOW: Duration = Duration::from_secs(5);
/// How long a `tok_late` charge is not found.
pub const LATE: Duration = Duration::from_secs(30);
/// Calls that may wait for the clerk; the worker's slots keep it far below.
const CALLS_WAITING: usize = 1_024;

/// A handle on the simulator; clones share it.
#[derive(Clone)]
pub struct Simulator {
    calls: mpsc::Sender<Call>,
    outage: OutageFile,
    timer: Timer,
    latency: Duration,
}

/// What the simulator does with a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conduct {
    Approve { answers: bool, refunds_answer: bool },
    Decline(&'static str),
    ApproveLate,
    Error,
    Lose,
}

impl Simulator {
    /// Opens the vendor's record in `data`, and starts the thread that keeps it. Each answer takes `latency` at the least.
    pub fn open(data: &Path, timer: Timer, latency: Duration) -> Result<Self, OpenError> {
        let (calls, waiting) = mpsc::channel(CALLS_WAITING);
        let clerk = Clerk::open(&data.join(FILE))?;
        let started = std::thread::Builder::new().name("simulator".to_owned()).spawn(|| clerk.run(waiting));
        started.map_err(|error| OpenError::Unusable {
            path: data.join(FILE).display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(Self { calls, outage: OutageFile::new(data), timer, latency })
    }

    pub(super) async fn charge(&self, request: ChargeRequest) -> ChargeAnswer {
        let outage = self.delay().await;
        if request.token == "tok_slow" {
            self.timer.sleep(SLOW).await;
        }
        let answers = match conduct(outage, &request) {
            Conduct::Error => {
                return ChargeAnswer::Unclear { arrived: true, detail: "500 from the simulator".to_owned() };
            }
            Conduct::Lose => false,
            conduct => {
                let at = self.timer.now();
                let at = if conduct == Conduct::ApproveLate { cafe_clock::after(at, LATE) } else { at };
                let answer = self.call(|answer| Call::Charge { request, conduct, at, answer }).await;
                let answers =
                    !matches!(conduct, Conduct::ApproveLate | Conduct::Approve { answers: false, .. });
                match answer {
                    Some(answer) if answers => return answer,
                    _ => answers,
                }
            }
        };
        if answers {
            return ChargeAnswer::Unclear { arrived: true, detail: "the simulator has stopped".to_owned() };
        }
        std::future::pending().await
    }

    pub(super) async fn look_up(&self, key: String) -> Finding {
        match self.delay().await {
            Some(Outage::Error) => return Finding::Unclear { detail: "500 from the simulator".to_owned() },
            Some(Outage::Silent) => std::future::pending().await,
            _ => {}
        }
        let now = self.timer.now();
        let found = self.call(|answer| Call::LookUp { key, now, answer }).await;
        found.unwrap_or_else(|| Finding::Unclear { detail: "the simulator has stopped".to_owned() })
    }

    pub(super) async fn refund(&self, request: RefundRequest) -> RefundAnswer {
        let outage = self.delay().await;
        if outage == Some(Outage::Error) {
            return RefundAnswer::Unclear { arrived: true, detail: "500 from the simulator".to_owned() };
        }
        let at = self.timer.now();
        let answer = self.call(|answer| Call::Refund { request, at, answer }).await;
        match answer {
            Some((answer, true)) if outage != Some(Outage::Silent) => answer,
            Some(_) => std::future::pending().await,
            None => RefundAnswer::Unclear { arrived: true, detail: "the simulator has stopped".to_owned() },
        }
    }

    pub(super) async fn look_up_refund(&self, key: String) -> RefundAnswer {
        let unclear = |detail: &str| RefundAnswer::Unclear { arrived: false, detail: detail.to_owned() };
        match self.delay().await {
            Some(Outage::Error) => return unclear("500 from the simulator"),
            Some(Outage::Silent) => std::future::pending().await,
            _ => {}
        }
        let found = self.call(|answer| Call::LookUpRefund { key, answer }).await;
        found.unwrap_or_else(|| unclear("the simulator has stopped"))
    }

    async fn delay(&self) -> Option<Outage> {
        let outage = self.outage.now();
        if !self.latency.is_zero() {
            self.timer.sleep(self.latency).await;
        }
        if outage == Some(Outage::Slow) {
            self.timer.sleep(SLOW).await;
        }
        outage
    }

    async fn call<T>(&self, call: impl FnOnce(oneshot::Sender<T>) -> Call) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.calls.send(call(answer)).await.ok()?;
        answered.await.ok()
    }
}

fn conduct(outage: Option<Outage>, request: &ChargeRequest) -> Conduct {
    let approve = Conduct::Approve { answers: true, refunds_answer: true };
    let silently = Conduct::Approve { answers: false, refunds_answer: true };
    match outage {
        Some(Outage::Error) => return Conduct::Error,
        Some(Outage::Late) => return Conduct::ApproveLate,
        _ => {}
    }
    let by_token = match request.token.as_str() {
        "tok_declined" => Conduct::Decline("card_declined"),
        "tok_timeout" => silently,
        "tok_late" => Conduct::ApproveLate,
        "tok_error" if request.key.ends_with("/1") => Conduct::Error,
        "tok_ok" | "tok_slow" | "tok_error" => approve,
        "tok_never" => Conduct::Lose,
        "tok_refund_timeout" => Conduct::Approve { answers: true, refunds_answer: false },
        _ => Conduct::Decline("invalid_token"),
    };
    match by_token {
        Conduct::Approve { refunds_answer, .. } if outage == Some(Outage::Silent) => {
            Conduct::Approve { answers: false, refunds_answer }
        }
        conduct => conduct,
    }
}
