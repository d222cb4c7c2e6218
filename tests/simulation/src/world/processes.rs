//! What processes do, and the vendor.

use std::time::Duration;

use cafe_barista::Command;
use cafe_clock::before;
use cafe_events::{OrderId, Source};
use cafe_order::KEY_LIFE;

use super::{Asked, World, with};
use crate::bench::Around;
use crate::memory::{Step, Strike};
use crate::process::Turned;
use crate::transition::{BenchDoes, PlaceNumber};
use crate::vendor::Mood;

/// After so long tickets that nobody comes for are given up.
const COLLECT_WITHIN: Duration = Duration::from_hours(2);
/// Things that the payment worker takes up at once.
const AT_ONCE: usize = 8;
impl World {
    pub(super) fn start(&mut self, source: Source, place: PlaceNumber) -> bool {
        let disks = self.disks();
        with!(self, source, service => service.start(place.into(), &disks))
    }

    pub(super) fn beat(&mut self, source: Source, place: PlaceNumber) -> bool {
        let (disks, now) = (self.disks(), self.instant());
        let beaten = with!(self, source, service => {
            if service.awake(place).is_none() {
                return false;
            }
            let was_led = service.living().any(crate::process::Process::leads);
            service.beat(place.into(), now, &disks).map(|took| took && was_led)
        });
        match beaten {
            Ok(took_over) => {
                if took_over {
                    self.note("is taken over", source);
                }
            }
            Err(reason) => self.ended(source, place, &reason),
        }
        true
    }

    pub(super) fn listen(&mut self, own: Source, place: PlaceNumber, source: Source) -> bool {
        with!(self, own, service => match &mut service.places[usize::from(place)].process {
            Some(process) if !process.is_frozen => process.listen(source),
            _ => false,
        })
    }

    pub(super) fn relay(&mut self, source: Source, place: PlaceNumber) -> bool {
        with!(self, source, service => match &mut service.places[usize::from(place)].process {
            Some(process) if !process.is_frozen => process.relay(),
            _ => false,
        })
    }

    pub(super) fn turn(&mut self, source: Source, place: PlaceNumber) -> bool {
        let (turned, hit, steps) = with!(self, source, service => {
            let Some(process) = &mut service.places[usize::from(place)].process else { return false };
            if process.is_frozen {
                return false;
            }
            let turned = process.turn();
            (turned, process.fate.take_hit(), process.fate.take_steps())
        });
        self.steps += steps;
        if let Some((step, strike)) = hit {
            self.note(kind_of(step, strike), source);
            self.trace.tell(self.steady, source.name(), &format_args!("! {strike:?} at {step:?}"));
        }
        match turned {
            Turned::Idle => return false,
            Turned::Done(_) => self.hear_answers(source, place),
            Turned::Ended(reason) => self.ended(source, place, &reason),
        }
        true
    }

    /// A process has ended: whoever waited for it is told nothing.
    fn ended(&mut self, source: Source, place: PlaceNumber, reason: &str) {
        with!(self, source, service => service.kill(place.into()));
        self.trace.tell(self.steady, source.name(), &format_args!("{place} ends: {reason}"));
        self.forget_askers(source, place);
    }

    pub(super) fn forget_askers(&mut self, source: Source, place: PlaceNumber) {
        match source {
            Source::Order => {
                let customers = &mut self.customers;
                self.asked.retain(|asked| {
                    let stays = asked.place != place;
                    if !stays && asked.places.is_some() {
                        customers[asked.customer].is_in_doubt = true;
                    }
                    stays
                });
            }
            Source::Payment => self.paid_back.retain(|(at, _)| *at != place),
            Source::Barista => self.obeyed.retain(|(at, _)| *at != place),
        }
    }

    fn hear_answers(&mut self, source: Source, place: PlaceNumber) {
        match source {
            Source::Order => {
                let mut waiting = std::mem::take(&mut self.asked);
                waiting.retain_mut(|asked| asked.place != place || !self.hear_answer(asked));
                waiting.append(&mut self.asked);
                self.asked = waiting;
            }
            Source::Payment => {
                self.paid_back.retain_mut(|(at, answered)| *at != place || answered.try_recv().is_err());
            }
            Source::Barista => {
                self.obeyed.retain_mut(|(at, answered)| *at != place || answered.try_recv().is_err());
            }
        }
    }

    /// True if there was one.
    fn hear_answer(&mut self, asked: &mut Asked) -> bool {
        use tokio::sync::oneshot::error::TryRecvError;
        let answer = match asked.answered.try_recv() {
            Err(TryRecvError::Empty) => return false,
            Err(TryRecvError::Closed) => Err(cafe_delivery::TurnError::OutcomeUnknown),
            Ok(answer) => answer,
        };
        if self.trace.is_told() {
            let told = match &answer {
                Ok(cafe_order::Answer::Placed { order, repeated, .. }) => {
                    let number =
                        order.placed.as_ref().map(|placed| placed.number.as_str()).unwrap_or_default();
                    format!("is told: number {number}{}", if *repeated { ", as before" } else { "" })
                }
                Ok(other) => format!("is told: {other:?}"),
                Err(error) => format!("is told: {error}"),
            };
            self.trace.tell(self.steady, &format!("customer {}", asked.customer), &told);
        }
        self.customers[asked.customer].hears(asked.places, asked.changed, answer, &mut self.broken);
        true
    }

    pub(super) fn bench(&mut self, place: PlaceNumber, does: BenchDoes) -> bool {
        let (now, instant) = (self.steady, self.instant());
        let at = &mut self.payment.places[usize::from(place)];
        let (Some(process), Some(bench)) = (&at.process, &mut at.besides) else { return false };
        if process.is_frozen || !process.leads() {
            return false;
        }
        let platters = self.payment.disk.platters();
        let ask = |request| process.ask(request);
        let mut around = Around {
            vendor: &mut self.vendor,
            rows: &platters.now.shelf,
            ask: &ask,
            is_leading: process.is_leading(instant),
            now,
        };
        match does {
            BenchDoes::TakeUp => bench.take_up() > 0,
            BenchDoes::Begin => bench.begin_due(AT_ONCE, &mut around) > 0,
            BenchDoes::Expire => bench.expire_due(AT_ONCE, &mut around) > 0,
            BenchDoes::Lane(lane) => bench.work_lane(lane, AT_ONCE, &mut around) > 0,
            BenchDoes::Clocks => {
                bench.look_at_clocks();
                true
            }
            BenchDoes::Task(index) => bench.step(index.into(), &mut around),
        }
    }

    pub(super) fn robot(&mut self, place: PlaceNumber) -> bool {
        let now = self.steady;
        let at = &mut self.barista.places[usize::from(place)];
        let (Some(process), Some(robot)) = (&at.process, &mut at.besides) else { return false };
        if process.is_frozen || !process.leads() || !self.config.has_robot {
            return false;
        }
        let platters = self.barista.disk.platters();
        let ask =
            |order_id, command| process.ask(cafe_barista::Request { order_id, command, seen: None }).ok();
        robot.step(&platters.now.shelf, now, ask) > 0
    }

    /// Whatever everybody has heard is old enough, as after five weeks. What a restored service has forgotten would be gone, and a
    /// clock that steps by a day does not matter then.
    pub(super) fn prune(&mut self, source: Source, place: PlaceNumber) -> bool {
        if self.config.restored.is_some() || self.config.weights.clock > 0 {
            return false;
        }
        if self.brokers.as_ref().is_some_and(|brokers| !brokers.is_mended(source)) {
            return false;
        }
        let heard = self.heard_by_all(source);
        let is_pruned = with!(self, source, service => {
            let before = {
                let platters = service.disk.platters();
                let contents = &platters.now;
                if contents.head().oldest > heard {
                    return false;
                }
                let later = contents.outbox.range(heard + 1..).map(|(_, arrived)| arrived.record.at_ms);
                let last = contents.outbox.get(&heard).map_or(0, |arrived| arrived.record.at_ms);
                later.min().unwrap_or(last)
            };
            service.awake(place).is_some_and(|process| process.prune(cafe_clock::from_ms(before)))
        });
        if is_pruned {
            if let Some(brokers) = &self.brokers {
                brokers.grow_old(source, heard);
            }
            self.note("outbox is pruned", source);
        }
        is_pruned
    }

    /// Up to where a service's log was heard by all others, and, with brokers, written to its topic; of what is five weeks old
    /// all is synced.
    fn heard_by_all(&mut self, source: Source) -> i64 {
        let log_id = with!(self, source, service => service.disk.platters().now.head().log_id.clone());
        let relay = self.brokers.is_some().then_some(source);
        let heard = source.heard_by().chain(relay).map(|listener| {
            with!(self, listener, service => {
                let platters = service.disk.platters();
                let parts = platters.seen().positions.range((source, i64::MIN)..=(source, i64::MAX));
                let heard = parts.map(|(_, (at, _))| if *at.log_id == *log_id { at.position } else { 0 });
                heard.min().unwrap_or(0)
            })
        });
        heard.min().unwrap_or(0)
    }

    /// Up to which offset a partition of a topic was read by all listeners, and that is synced.
    pub(super) fn read_by_all(&mut self, source: Source, part: i64) -> i64 {
        let read = source.heard_by().map(|listener| {
            with!(self, listener, service => {
                let platters = service.disk.platters();
                platters.seen().positions.get(&(source, part)).and_then(|(at, _)| at.next_offset).unwrap_or(0)
            })
        });
        read.min().unwrap_or(0)
    }

    pub(super) fn vendor_acts(&mut self, call: u8, mood: Mood) -> bool {
        let (now, wall_ms) = (self.steady, self.vendors_ms());
        let Some((call, mood)) = self.vendor.act(call.into(), mood, now, wall_ms) else { return false };
        self.trace.tell(now, "vendor", &format_args!("{} {}: {mood:?}", call.asked.name(), call.asked.key()));
        let kind = match mood {
            Mood::Answers => return true,
            Mood::LosesTheAnswer => "vendor's answer is lost",
            Mood::AnswersTwice => "vendor answers twice",
            Mood::Fails => "vendor fails",
            Mood::Lost => "vendor is not reached",
            Mood::Late(_) => "vendor is late",
            Mood::Declines => "vendor refuses",
        };
        self.note(kind, Source::Payment);
        true
    }

    /// How long orders wait for payment that were placed after the last one that it has spoken about.
    fn look_at_backlog(&mut self, place: PlaceNumber) {
        let at = &self.order.places[usize::from(place)];
        let (Some(_), Some(till)) = (self.order.awake(place), &at.besides) else { return };
        let (platters, behind) = (self.order.disk.platters(), till.backlog.begins_after());
        let orders = platters.now.shelf.orders.iter().map(|(_, order)| order);
        let waiting = orders.filter(|order| order.waits_for_payment());
        let since = waiting.filter_map(|order| Some(order.placed.as_ref()?.at)).filter(|at| *at > behind);
        till.backlog.note(since.min());
    }

    pub(super) fn chore(&mut self, source: Source, place: PlaceNumber) -> bool {
        match source {
            Source::Order => {
                let used_before = before(self.order.clock.now(), KEY_LIFE);
                self.look_at_backlog(place);
                let Some(process) = self.order.awake(place) else { return false };
                let request = cafe_order::Request::ForgetKeys { before: used_before };
                process.ask(request).is_ok()
            }
            Source::Payment => self.bench(place, BenchDoes::Clocks),
            Source::Barista => {
                let ready_by = before(self.barista.clock.now(), COLLECT_WITHIN);
                let due: Vec<OrderId> = {
                    let platters = self.barista.disk.platters();
                    let overdue = platters.now.shelf.tickets.iter().filter(|(_, ticket)| {
                        ticket.status == cafe_barista::Status::Ready
                            && ticket.ready_at.is_some_and(|at| at <= ready_by)
                    });
                    overdue.map(|(order_id, _)| *order_id).collect()
                };
                let mut given_up = false;
                for order_id in due {
                    given_up |= self.obey(order_id, Command::GiveUp(COLLECT_WITHIN), place);
                }
                given_up
            }
        }
    }
}

fn kind_of(step: Step, strike: Strike) -> &'static str {
    match (strike, step) {
        (Strike::Crash, Step::Commit) => "dies while it commits",
        (Strike::Crash, Step::Sync) | (Strike::CrashUnsynced, _) => "dies with a commit unsynced",
        (Strike::Crash, Step::Tell) => "dies before it answers",
        (Strike::Crash, _) => "dies before it commits",
        (Strike::Full, _) => "has no room on its disk",
        (Strike::Busy, _) => "finds a lock held",
        (Strike::SyncFails, _) => "cannot sync",
        (Strike::Unknown { committed: true }, _) => "commits and is not told",
        (Strike::Unknown { committed: false }, _) => "does not commit and is not told",
    }
}
