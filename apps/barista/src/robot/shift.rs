//! Who makes which ticket when: the baristas of one store and their schedule. Pure: time is an argument, counted from the
//! start of the shift.

use std::collections::HashMap;
use std::time::Duration;

use cafe_events::OrderId;

use crate::RobotConfig;
use crate::ticket::{Command, LineState, Status, Ticket};

/// How long a ready ticket waits for its customer, at the menu's own speed.
const CUSTOMER_COMES: Duration = Duration::from_secs(2);

/// The baristas of one store.
///
/// The schedule is exact whatever the pace at which it is looked at: a drink that takes 4 ms keeps its barista for 4 ms,
/// also if the next look is 10 ms later, and then everything that fell due meanwhile is due at once.
#[derive(Debug)]
pub struct Shift {
    speed: f64,
    /// When each barista has nothing left to do.
    free_at: Vec<Duration>,
    jobs: HashMap<OrderId, Job>,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    sequence: i64,
    status: Status,
    start_at: Duration,
    ready_at: Duration,
    leave_at: Duration,
}

impl Shift {
    /// Baristas with nothing to do.
    pub fn new(config: RobotConfig) -> Self {
        Self {
            speed: config.speed,
            free_at: vec![Duration::ZERO; config.baristas.max(1)],
            jobs: HashMap::new(),
        }
    }

    /// How many tickets are in the schedule.
    pub fn scheduled(&self) -> usize {
        self.jobs.len()
    }

    /// Takes note of a ticket. One that is new goes to the barista who is free first.
    pub fn see(&mut self, order_id: OrderId, ticket: &Ticket, now: Duration) {
        let comes = CUSTOMER_COMES.div_f64(self.speed);
        match (self.jobs.get_mut(&order_id), ticket.status) {
            (_, status) if !status.is_open() => drop(self.jobs.remove(&order_id)),
            (Some(job), status) => job.status = status,
            (None, status) => {
                let (start_at, ready_at) =
                    if status == Status::Ready { (now, now) } else { self.assign(self.making(ticket), now) };
                let job =
                    Job { sequence: ticket.sequence, status, start_at, ready_at, leave_at: ready_at + comes };
                self.jobs.insert(order_id, job);
            }
        }
    }

    /// Forgets a ticket; seen again it is new.
    pub fn forget(&mut self, order_id: OrderId) {
        self.jobs.remove(&order_id);
    }

    /// What is to be done by now, first in first out.
    pub fn due(&self, now: Duration) -> Vec<(OrderId, Command)> {
        let mut due: Vec<_> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.next_at() <= now)
            .map(|(order_id, job)| (job.sequence, *order_id, job.command(now)))
            .collect();
        due.sort_unstable_by_key(|(sequence, ..)| *sequence);
        due.into_iter().map(|(_, order_id, command)| (order_id, command)).collect()
    }

    /// When something falls due next.
    pub fn next_at(&self) -> Option<Duration> {
        self.jobs.values().map(Job::next_at).min()
    }

    fn making(&self, ticket: &Ticket) -> Duration {
        let waiting = ticket.lines.iter().filter(|line| line.state == LineState::Waiting);
        let ms: u64 = waiting
            .map(|line| line.ordered.making_ms.saturating_mul(u64::from(line.ordered.quantity)))
            .fold(0, u64::saturating_add);
        // An hour for one ticket is more than any menu means.
        Duration::from_millis(ms.min(3_600_000)).div_f64(self.speed)
    }

    fn assign(&mut self, making: Duration, now: Duration) -> (Duration, Duration) {
        let first_free = self.free_at.iter_mut().min().expect("a shift has at least one barista");
        let start_at = now.max(*first_free);
        *first_free = start_at + making;
        (start_at, *first_free)
    }
}

impl Job {
    fn next_at(&self) -> Duration {
        match self.status {
            Status::Queued => self.start_at,
            Status::Making => self.ready_at,
            _ => self.leave_at,
        }
    }

    /// A ticket whose start was missed is started by being made ready.
    fn command(&self, now: Duration) -> Command {
        match self.status {
            Status::Queued if self.ready_at > now => Command::Start,
            Status::Queued | Status::Making => Command::Ready,
            _ => Command::PickUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use cafe_clock::from_ms;
    use cafe_events::{Name, OrderLine, Size};

    use super::*;
    use crate::ticket::TicketLine;

    const ONE_AT_A_TIME: RobotConfig = RobotConfig { speed: 1.0, baristas: 1 };

    #[test]
    fn a_barista_makes_one_ticket_after_the_other() {
        let (a, b) = (OrderId::from_u128(1), OrderId::from_u128(2));
        let mut shift = Shift::new(ONE_AT_A_TIME);
        let mut counter = [(a, queued(1, 4_000)), (b, queued(2, 3_000))];
        let mut done = Vec::new();
        for (order_id, ticket) in &counter {
            shift.see(*order_id, ticket, at(0));
        }
        for now_ms in (0..=10_000).step_by(500) {
            for (order_id, command) in shift.due(at(now_ms)) {
                let (_, ticket) = counter.iter_mut().find(|(id, _)| *id == order_id).unwrap();
                ticket.obey(&command, from_ms(0)).unwrap();
                shift.see(order_id, ticket, at(now_ms));
                done.push((now_ms, order_id, command));
            }
        }
        let expected = [
            (0, a, Command::Start),
            (4_000, a, Command::Ready),
            (4_000, b, Command::Start),
            (6_000, a, Command::PickUp),
            (7_000, b, Command::Ready),
            (9_000, b, Command::PickUp),
        ];
        assert_eq!(done, expected);
        assert_eq!((shift.scheduled(), shift.next_at()), (0, None));
    }

    #[test]
    fn what_fell_due_between_two_looks_is_due_at_once() {
        let mut shift = Shift::new(RobotConfig { speed: 1_000.0, baristas: 1 });
        for order in 1..=10 {
            shift.see(OrderId::from_u128(order as u128), &queued(order, 4_000), at(0));
        }
        assert!(shift.due(at(40)).iter().all(|(_, command)| *command == Command::Ready));
        assert_eq!(shift.due(at(40)).len(), 10);
        assert_eq!(shift.due(at(20)).len(), 6);
    }

    #[test]
    fn a_ticket_that_is_being_made_already_is_finished() {
        let mut shift = Shift::new(ONE_AT_A_TIME);
        let mut ticket = queued(1, 2_000);
        ticket.obey(&Command::Start, from_ms(0)).unwrap();
        shift.see(OrderId::from_u128(1), &ticket, at(0));
        assert_eq!(shift.due(at(1_999)), []);
        assert_eq!(shift.due(at(2_000)), [(OrderId::from_u128(1), Command::Ready)]);
    }

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn queued(sequence: i64, making_ms: u64) -> Ticket {
        let ordered = OrderLine {
            line_id: 1,
            menu: "latte".to_owned(),
            name: Name { en: String::new(), ko: String::new() },
            size: Size::Medium,
            quantity: 1,
            options: Vec::new(),
            takeout: false,
            unit_price: 4_000,
            price: 4_000,
            making_ms,
        };
        Ticket {
            store: "main".to_owned(),
            number: "0001".to_owned(),
            day: "2026-11-23".to_owned(),
            sequence,
            status: Status::Queued,
            lines: vec![TicketLine { ordered, state: LineState::Waiting, recalled: false }],
            version: 1,
            queued_at: from_ms(0),
            started_at: None,
            ready_at: None,
        }
    }
}
