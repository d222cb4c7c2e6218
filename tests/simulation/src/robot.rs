//! A barista for cafes that have none: the robot's own schedule, looked at a step at a time.

use std::time::Duration;

use cafe_barista::{Barista, Command, RobotConfig, Shift};
use cafe_events::OrderId;
use tokio::sync::oneshot::error::TryRecvError;

use crate::planted::Planted;
use crate::process::Answer;
use crate::shelf::BaristaShelf;

/// As fast as a person.
const CONFIG: RobotConfig = RobotConfig { speed: 1.0, baristas: 1 };

/// The robot of one process.
pub struct Robot {
    shift: Shift,
    asked: Vec<(OrderId, Answer<Planted<Barista>>)>,
}

impl Default for Robot {
    fn default() -> Self {
        Self { shift: Shift::new(CONFIG), asked: Vec::new() }
    }
}

impl Robot {
    /// Learns what became of what it asked for, looks at the queue, and asks for what is due; answers how much that was.
    pub fn step(
        &mut self,
        rows: &BaristaShelf,
        now: Duration,
        ask: impl Fn(OrderId, Command) -> Option<Answer<Planted<Barista>>>,
    ) -> usize {
        let shift = &mut self.shift;
        self.asked.retain_mut(|(order_id, answered)| match answered.try_recv() {
            Err(TryRecvError::Empty) => true,
            Ok(Ok(Ok(ticket))) => {
                shift.see(*order_id, &ticket, now);
                false
            }
            // In other hands: the next look tells.
            Ok(Ok(Err(_))) => {
                shift.forget(*order_id);
                false
            }
            Ok(Err(_)) | Err(TryRecvError::Closed) => false,
        });
        for (order_id, ticket) in rows.tickets.iter().filter(|(_, ticket)| ticket.status.is_open()) {
            shift.see(*order_id, ticket, now);
        }
        let is_asked = |order_id| self.asked.iter().any(|(asked, _)| *asked == order_id);
        let due: Vec<_> = shift.due(now).into_iter().filter(|(order_id, _)| !is_asked(*order_id)).collect();
        let asked =
            due.into_iter().filter_map(|(order_id, command)| Some((order_id, ask(order_id, command)?)));
        let before = self.asked.len();
        self.asked.extend(asked);
        self.asked.len() - before
    }

    /// When something falls due next, counted from the beginning of the world.
    pub fn next_at(&self) -> Option<Duration> {
        self.shift.next_at()
    }
}
