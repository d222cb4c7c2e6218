//! The rules over random histories: whatever is asked in whatever order, what was said adds up.

use std::collections::BTreeMap;
use std::time::Duration;

use cafe_barista::{Command, LineState, Lines, Queue, Refusal, Status, Ticket, Transition};
use cafe_clock::{after, from_ms};
use cafe_events::{LineId, Party, PaymentApproved, TicketEvent};
use proptest::prelude::*;

use crate::samples;

const PATIENCE: Duration = Duration::from_hours(2);

proptest! {
    #[test]
    fn what_was_said_tells_all_that_the_ticket_knows(lines in 1..5u16, commands in commands()) {
        let (mut ticket, queued) = ticket(lines);
        let mut listener = Listener::hearing(lines, &queued);
        for (step, command) in commands.iter().enumerate() {
            let before = ticket.clone();
            let outcome = ticket.obey(command, at(step));
            match outcome {
                Ok(Transition::Changed(events)) => {
                    prop_assert!(!events.is_empty());
                    prop_assert_eq!(ticket.version, before.version + events.len() as u32, "a version without its event");
                    for event in &events {
                        listener.hear(event);
                    }
                }
                Ok(Transition::AlreadyDone) | Err(_) => prop_assert_eq!(&ticket, &before),
            }
            prop_assert_eq!(listener.status, ticket.status);
            prop_assert_eq!(&listener.lines, &line_states(&ticket));
        }
    }

    #[test]
    fn a_command_that_was_obeyed_is_already_done_when_it_is_repeated(lines in 1..5u16, commands in commands()) {
        let (mut ticket, _) = ticket(lines);
        for (step, command) in commands.iter().enumerate() {
            let obeyed = ticket.obey(command, at(step)).is_ok();
            let cancel_refused = matches!(command, Command::Cancel(..)) && ticket.status != Status::Cancelled;
            if obeyed && !cancel_refused {
                prop_assert_eq!(ticket.obey(command, at(step)), Ok(Transition::AlreadyDone), "{:?}", command);
            }
        }
    }

    #[test]
    fn a_final_state_is_final_and_only_a_recall_leaves_picked_up(lines in 1..5u16, commands in commands()) {
        let (mut ticket, _) = ticket(lines);
        for (step, command) in commands.iter().enumerate() {
            let before = ticket.status;
            let _ = ticket.obey(command, at(step));
            match before {
                Status::Rejected | Status::Cancelled | Status::Uncollected => prop_assert_eq!(ticket.status, before),
                Status::PickedUp if ticket.status != before => {
                    prop_assert!(matches!(command, Command::Recall(..)));
                    prop_assert_eq!(ticket.status, Status::Making);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn a_cancel_is_honoured_until_making_starts_and_refused_ever_after(lines in 1..5u16, commands in commands()) {
        let (mut ticket, _) = ticket(lines);
        let mut started = false;
        for (step, command) in commands.iter().enumerate() {
            let before = ticket.status;
            if let Ok(Transition::Changed(events)) = ticket.obey(command, at(step)) {
                started |= events.iter().any(|event| matches!(event, TicketEvent::Started(_)));
                let cancelled = events.iter().any(|event| matches!(event, TicketEvent::Cancelled(_)));
                if matches!(command, Command::Cancel(..)) {
                    prop_assert_eq!(cancelled, before == Status::Queued);
                    prop_assert!(!(cancelled && started));
                } else {
                    prop_assert!(!cancelled);
                }
            }
        }
    }

    #[test]
    fn money_goes_back_once_per_line_and_only_for_what_is_not_made(lines in 1..5u16, commands in commands()) {
        let (mut ticket, _) = ticket(lines);
        let mut refunded: Vec<LineId> = Vec::new();
        for (step, command) in commands.iter().enumerate() {
            let made = line_states(&ticket);
            let Ok(Transition::Changed(events)) = ticket.obey(command, at(step)) else { continue };
            for event in &events {
                if let TicketEvent::Rejected(rejected) = event {
                    prop_assert!(rejected.lines.iter().all(|line| made[line] == LineState::Waiting));
                    refunded.extend(&rejected.lines);
                }
            }
        }
        refunded.sort_unstable();
        let rejected: Vec<LineId> = line_states(&ticket)
            .into_iter().filter(|(_, state)| *state == LineState::Rejected).map(|(line, _)| line).collect();
        prop_assert_eq!(refunded, rejected);
    }

    #[test]
    fn a_refusal_says_what_is_possible_and_that_is_possible(lines in 1..5u16, commands in commands()) {
        let (mut ticket, _) = ticket(lines);
        for (step, command) in commands.iter().enumerate() {
            let Err(Refusal::NotNow { possible, .. }) = ticket.obey(command, at(step)) else { continue };
            for name in possible.split(", ").filter(|name| *name != "nothing") {
                let outcome = ticket.clone().obey(&by_name(name, &ticket), at(step));
                prop_assert!(matches!(outcome, Ok(Transition::Changed(_))), "{name} in {}: {outcome:?}", ticket.status);
            }
        }
    }

    #[test]
    fn places_in_the_queue_are_given_in_order_without_gaps(orders in 1..50usize) {
        let mut queue = Queue::default();
        let places: Vec<i64> = (0..orders)
            .map(|order| queue.admit("main", &samples::approved(1), at(order)).unwrap().0.sequence)
            .collect();
        prop_assert_eq!(places, (1..=orders as i64).collect::<Vec<_>>());
    }
}

#[test]
fn an_order_that_cannot_be_made_takes_no_place_in_the_queue() {
    let mut queue = Queue::default();
    let twice = PaymentApproved { lines: vec![samples::line(1), samples::line(1)], ..samples::approved(1) };
    assert!(queue.admit("main", &twice, at(0)).is_err());
    assert!(queue.admit("main", &samples::approved(0), at(0)).is_err());
    assert_eq!(queue, Queue::default());
}

#[test]
fn a_line_made_before_it_was_started_starts_the_ticket() {
    let (mut ticket, _) = ticket(2);
    let Ok(Transition::Changed(events)) = ticket.obey(&Command::LineReady(2), at(1)) else {
        panic!("obeyed")
    };
    assert!(matches!(events[..], [TicketEvent::Started(_), TicketEvent::LineReady(_)]));
    assert_eq!(ticket.status, Status::Making);
}

#[test]
fn when_the_rest_is_made_rejecting_what_is_left_makes_the_ticket_ready() {
    let (mut ticket, _) = ticket(2);
    ticket.obey(&Command::LineReady(1), at(1)).unwrap();
    let reject = Command::Reject(Lines::Only(vec![2]), Some("no milk".into()));
    let Ok(Transition::Changed(events)) = ticket.obey(&reject, at(2)) else { panic!("obeyed") };
    assert!(matches!(&events[..], [TicketEvent::Rejected(rejected), TicketEvent::Ready(_)] if !rejected.all));
}

#[test]
fn a_made_line_is_recalled_before_it_is_rejected() {
    let (mut ticket, _) = ticket(1);
    ticket.obey(&Command::Ready, at(1)).unwrap();
    ticket.obey(&Command::Recall(Lines::All, None), at(2)).unwrap();
    ticket.obey(&Command::LineReady(1), at(3)).unwrap();
    ticket.obey(&Command::Recall(Lines::Only(vec![1]), None), at(4)).unwrap();
    let Ok(Transition::Changed(events)) = ticket.obey(&Command::Reject(Lines::All, None), at(5)) else {
        panic!("obeyed")
    };
    assert!(matches!(&events[..], [TicketEvent::Rejected(rejected)] if rejected.all));
    assert_eq!(ticket.status, Status::Rejected);
}

#[test]
fn what_was_never_made_cannot_be_recalled() {
    let (mut ticket, _) = ticket(2);
    ticket.obey(&Command::Start, at(1)).unwrap();
    let refused = ticket.obey(&Command::Recall(Lines::All, None), at(2));
    assert!(matches!(refused, Err(Refusal::NotNow { possible: "ready, reject", .. })), "{refused:?}");
    ticket.obey(&Command::LineReady(1), at(3)).unwrap();
    let refused = ticket.obey(&Command::PickUp, at(4));
    assert!(matches!(refused, Err(Refusal::NotNow { possible: "ready, recall, reject", .. })), "{refused:?}");
}

#[test]
fn a_ready_ticket_is_given_up_when_its_patience_is_over_and_no_sooner() {
    let (mut ticket, _) = ticket(1);
    ticket.obey(&Command::Ready, at(1)).unwrap();
    assert!(matches!(ticket.obey(&Command::GiveUp(PATIENCE), at(120)), Err(Refusal::NotNow { .. })));
    assert!(matches!(ticket.obey(&Command::GiveUp(PATIENCE), at(121)), Ok(Transition::Changed(_))));
    assert_eq!(ticket.status, Status::Uncollected);
}

/// What somebody who hears every event believes.
struct Listener {
    status: Status,
    lines: BTreeMap<LineId, LineState>,
}

impl Listener {
    fn hearing(lines: LineId, queued: &TicketEvent) -> Self {
        assert!(matches!(queued, TicketEvent::Queued(_)));
        Self { status: Status::Queued, lines: (1..=lines).map(|line| (line, LineState::Waiting)).collect() }
    }

    fn hear(&mut self, event: &TicketEvent) {
        match event {
            TicketEvent::Queued(_) => panic!("queued twice"),
            TicketEvent::Started(_) => self.status = Status::Making,
            TicketEvent::LineReady(made) => {
                assert_eq!(self.lines.insert(made.line_id, LineState::Ready), Some(LineState::Waiting));
            }
            TicketEvent::Ready(_) => {
                assert!(self.lines.values().all(|state| *state != LineState::Waiting));
                self.status = Status::Ready;
            }
            TicketEvent::PickedUp(_) => self.status = Status::PickedUp,
            TicketEvent::Recalled(recalled) => {
                for line in &recalled.lines {
                    assert_eq!(self.lines.insert(*line, LineState::Waiting), Some(LineState::Ready));
                }
                self.status = Status::Making;
            }
            TicketEvent::Rejected(rejected) => {
                for line in &rejected.lines {
                    self.lines.insert(*line, LineState::Rejected);
                }
                assert_eq!(rejected.all, self.lines.values().all(|state| *state == LineState::Rejected));
                if rejected.all {
                    self.status = Status::Rejected;
                }
            }
            TicketEvent::Cancelled(_) => self.status = Status::Cancelled,
            TicketEvent::CancelRefused(_) => {}
            TicketEvent::Uncollected(_) => self.status = Status::Uncollected,
        }
    }
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    prop::collection::vec(command(), 0..40)
}

fn command() -> impl Strategy<Value = Command> {
    let lines = prop_oneof![
        Just(Lines::All),
        // Line 5 never exists.
        prop::collection::vec(1..6u16, 1..4).prop_map(Lines::Only)
    ];
    prop_oneof![
        2 => Just(Command::Start),
        6 => (1..6u16).prop_map(Command::LineReady),
        1 => Just(Command::Ready),
        2 => Just(Command::PickUp),
        2 => lines.clone().prop_map(|lines| Command::Recall(lines, None)),
        2 => lines.prop_map(|lines| Command::Reject(lines, None)),
        1 => Just(Command::Cancel(Party::Customer, None)),
        1 => prop_oneof![Just(Duration::ZERO), Just(PATIENCE)].prop_map(Command::GiveUp),
    ]
}

fn by_name(name: &str, ticket: &Ticket) -> Command {
    let waiting: Vec<LineId> = line_states(ticket)
        .into_iter()
        .filter(|(_, state)| *state == LineState::Waiting)
        .map(|(line, _)| line)
        .collect();
    match name {
        "start" => Command::Start,
        "ready" => Command::Ready,
        "pick-up" => Command::PickUp,
        "recall" => Command::Recall(Lines::All, None),
        "reject" => Command::Reject(Lines::Only(waiting), None),
        other => panic!("{other} is not a command"),
    }
}

fn ticket(lines: LineId) -> (Ticket, TicketEvent) {
    Queue::default().admit("main", &samples::approved(lines), at(0)).unwrap()
}

fn line_states(ticket: &Ticket) -> BTreeMap<LineId, LineState> {
    ticket.lines.iter().map(|line| (line.ordered.line_id, line.state)).collect()
}

/// A minute per step, so that a ticket's patience ends within a history.
fn at(step: usize) -> jiff::Timestamp {
    after(from_ms(1_700_000_000_000), Duration::from_mins(1) * step as u32)
}
