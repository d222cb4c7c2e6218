//! The inputs of a turn, each with whom to tell what became of it.

use cafe_events::Source;
use tokio::sync::oneshot;

use crate::TurnError;
use crate::domain::Domain;
use crate::tables::Position;
use crate::turn::{Arrived, Input, Output, ParkedOutcome};

/// One input of a turn, with whom to tell.
pub(super) enum Item<D: Domain> {
    Ask {
        request: D::Request,
        traceparent: Option<String>,
        answer: oneshot::Sender<Result<D::Answer, TurnError>>,
    },
    Heard {
        source: Source,
        arrived: Arrived,
        /// Up to where parts of the log were heard with it.
        moves: Vec<Position>,
        done: Option<std::sync::mpsc::SyncSender<Result<(), TurnError>>>,
    },
    Parked {
        arrived: Option<Arrived>,
        drop: bool,
        answer: oneshot::Sender<Result<ParkedOutcome, TurnError>>,
    },
}

impl<D: Domain> Item<D> {
    /// Its trace context.
    pub(super) fn cause(&self) -> Option<&str> {
        match self {
            Self::Ask { traceparent, .. } => traceparent.as_deref(),
            Self::Heard { arrived, .. } => arrived.record.traceparent.as_deref(),
            Self::Parked { .. } => None,
        }
    }

    pub(super) fn input(&self) -> Option<Input<'_, D::Request>> {
        match self {
            Self::Ask { request, traceparent, .. } => {
                Some(Input::Request { request, traceparent: traceparent.as_deref() })
            }
            Self::Heard { arrived, .. } => Some(Input::Heard(arrived)),
            Self::Parked { arrived, drop: false, .. } => arrived.as_ref().map(Input::Retry),
            Self::Parked { arrived, drop: true, .. } => arrived.as_ref().map(Input::Drop),
        }
    }

    pub(super) fn tell(self, output: Option<Output<D::Answer>>) {
        match (self, output) {
            (Self::Ask { answer, .. }, Some(Output::Answer(said))) => drop_answer(answer, Ok(said)),
            (Self::Parked { answer, .. }, Some(Output::Parked(outcome))) => drop_answer(answer, Ok(outcome)),
            (Self::Heard { done: Some(done), .. }, _) => drop(done.send(Ok(()))),
            _ => {}
        }
    }
}

/// Tells everyone that it failed.
pub(super) fn fail<D: Domain>(items: Vec<Item<D>>, error: &TurnError) {
    for item in items {
        match item {
            Item::Ask { answer, .. } => drop_answer(answer, Err(error.clone())),
            Item::Parked { answer, .. } => drop_answer(answer, Err(error.clone())),
            Item::Heard { done: Some(done), .. } => drop(done.send(Err(error.clone()))),
            Item::Heard { done: None, .. } => {}
        }
    }
}

/// Whoever asked may have gone; what was committed stays.
pub(super) fn drop_answer<T>(answer: oneshot::Sender<T>, said: T) {
    let _ = answer.send(said);
}
