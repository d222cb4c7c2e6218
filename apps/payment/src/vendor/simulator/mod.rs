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

use super::{CONNECT_TIMEOUT, ChargeRequest, LookUpRequest, RefundRequest};
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
/// An answer of the vendor's own application that says nothing.
const FAILED: &str = "500 from the simulator";
/// No answer, because nothing was asked.
const BUSY: &str = "no connection to the simulator";
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

/// Why a call has no answer.
enum NoAnswer {
    /// It never reached the clerk.
    NotTaken,
    /// The clerk could not write it down.
    Failed,
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
        told("charge", request.traceparent.as_deref());
        let outage = self.delay().await;
        if request.token == "tok_slow" {
            self.timer.sleep(SLOW).await;
        }
        match conduct(outage, &request) {
            Conduct::Error => return ChargeAnswer::Unclear { arrived: true, detail: FAILED.to_owned() },
            Conduct::Lose => {}
            conduct => {
                let at = self.timer.now();
                let at = if conduct == Conduct::ApproveLate { cafe_clock::after(at, LATE) } else { at };
                match self.call(|answer| Call::Charge { request, conduct, at, answer }).await {
                    Ok(answer) if conduct.answers() => return answer,
                    Ok(_) => {}
                    Err(NoAnswer::NotTaken) => return ChargeAnswer::NotSent { detail: BUSY.to_owned() },
                    Err(NoAnswer::Failed) => {
                        return ChargeAnswer::Unclear { arrived: true, detail: FAILED.to_owned() };
                    }
                }
            }
        }
        std::future::pending().await
    }

    pub(super) async fn look_up(&self, request: LookUpRequest) -> Finding {
        told("look_up", request.traceparent.as_deref());
        match self.delay().await {
            Some(Outage::Error) => return Finding::Unclear { detail: FAILED.to_owned() },
            Some(Outage::Silent) => std::future::pending().await,
            _ => {}
        }
        let now = self.timer.now();
        let found = self.call(|answer| Call::LookUp { key: request.key, now, answer }).await;
        found.unwrap_or_else(|_| Finding::Unclear { detail: FAILED.to_owned() })
    }

    pub(super) async fn refund(&self, request: RefundRequest) -> RefundAnswer {
        told("refund", request.traceparent.as_deref());
        let failed = RefundAnswer::Unclear { arrived: true, detail: FAILED.to_owned() };
        let outage = self.delay().await;
        if outage == Some(Outage::Error) {
            return failed;
        }
        let at = self.timer.now();
        match self.call(|answer| Call::Refund { request, at, answer }).await {
            Ok((answer, true)) if outage != Some(Outage::Silent) => answer,
            Ok(_) => std::future::pending().await,
            Err(NoAnswer::NotTaken) => RefundAnswer::Unclear { arrived: false, detail: BUSY.to_owned() },
            Err(NoAnswer::Failed) => failed,
        }
    }

    pub(super) async fn look_up_refund(&self, request: LookUpRequest) -> RefundAnswer {
        told("look_up_refund", request.traceparent.as_deref());
        let failed = RefundAnswer::Unclear { arrived: false, detail: FAILED.to_owned() };
        match self.delay().await {
            Some(Outage::Error) => return failed,
            Some(Outage::Silent) => std::future::pending().await,
            _ => {}
        }
        self.call(|answer| Call::LookUpRefund { key: request.key, answer }).await.unwrap_or(failed)
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

    /// Handing a call to the clerk is this vendor's connecting.
    async fn call<T>(&self, call: impl FnOnce(oneshot::Sender<T>) -> Call) -> Result<T, NoAnswer> {
        let (answer, answered) = oneshot::channel();
        let taken = self.timer.within(CONNECT_TIMEOUT, self.calls.send(call(answer))).await;
        if !matches!(taken, Some(Ok(()))) {
            return Err(NoAnswer::NotTaken);
        }
        answered.await.map_err(|_| NoAnswer::Failed)
    }
}

impl Conduct {
    fn answers(self) -> bool {
        !matches!(self, Self::ApproveLate | Self::Approve { answers: false, .. })
    }
}

/// What a vendor's own log would show of a call's headers.
fn told(call: &'static str, traceparent: Option<&str>) {
    tracing::debug!(call, traceparent, "the simulator is asked");
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
