//! What goes wrong.

use cafe_events::Source;

use super::{World, with};
use crate::broker::Takes;
use crate::transition::{Fault, PlaceNumber};

/// So far from the right time a wall clock is at most: a day.
const MOST_OFF_MS: i64 = 86_400_000;
impl World {
    pub(super) fn goes_wrong(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::Strike(source, place, after, strike) => {
                with!(self, source, service => match &service.places[usize::from(place)].process {
                    Some(process) => process.fate.plan(after.into(), strike),
                    None => return false,
                });
                true
            }
            Fault::Kill(source, place) => self.kill(source, place),
            Fault::Power(source) => {
                self.note("loses its power", source);
                let lost: &[Source] = if self.config.replicas == 1 { &Source::ALL } else { &[source] };
                for source in lost {
                    with!(self, *source, service => service.lose_power());
                    for place in 0..self.config.replicas {
                        self.forget_askers(*source, place as u8);
                    }
                }
                true
            }
            Fault::Freeze(source, place) => self.freeze(source, place, true),
            Fault::Wake(source, place) => self.freeze(source, place, false),
            Fault::Clock(source, seconds) => {
                let wall_ms = with!(self, source, service => service.clock.now().as_millisecond());
                // On some days it is slow and on others fast, so that it never jumps by two days.
                let off_by_ms = wall_ms - self.vendors_ms() + i64::from(seconds) * 1_000;
                let is_slow = self.config.seed.is_multiple_of(2);
                let fits = if is_slow { -MOST_OFF_MS..=0 } else { 0..=MOST_OFF_MS };
                if !fits.contains(&off_by_ms) {
                    return false;
                }
                self.note(if seconds > 0 { "clock steps on" } else { "clock steps back" }, source);
                with!(self, source, service => service.clock.step(i64::from(seconds) * 1_000));
                true
            }
            Fault::Serve(own, source, served) => {
                if served.limit < usize::MAX {
                    self.note("hears late", own);
                }
                if served.again > 0 {
                    self.note("hears again", own);
                }
                if served.shuffled_by.is_some() {
                    self.note("hears out of order", own);
                }
                if served.foreign {
                    self.note("hears somebody else's program", own);
                }
                with!(self, own, service => service.served[source as usize].set(served));
                true
            }
            Fault::BackUp(source) => {
                with!(self, source, service => service.back_up());
                true
            }
            Fault::Restore(source) => {
                let restored = with!(self, source, service => service.restore());
                if restored {
                    if let Some(brokers) = &self.brokers {
                        brokers.is_restored(source);
                    }
                    self.note("is restored", source);
                    if source == Source::Order {
                        self.customers.iter_mut().for_each(|customer| customer.may_be_forgotten = true);
                    }
                    for place in 0..self.config.replicas {
                        self.forget_askers(source, place as u8);
                    }
                }
                restored
            }
            Fault::Poison(source, customer) => {
                let Some(order_id) = self.order_of(customer.into()) else { return false };
                self.note("sets an event aside", source);
                with!(self, source, service => service.allergy.set(Some(order_id)));
                true
            }
            Fault::Cure(source) => self.cure(source),
            Fault::DeleteTorn(source) => self.delete_torn(source),
            Fault::Take(..)
            | Fault::ArriveLate(_)
            | Fault::LoseTail(..)
            | Fault::MakeAnew(..)
            | Fault::Age(..)
            | Fault::SomebodyElse(..) => self.brokers_do(fault),
        }
    }

    fn brokers_do(&mut self, fault: Fault) -> bool {
        let Some(brokers) = self.brokers.clone() else { return false };
        let (source, done, kind) = match fault {
            Fault::Take(source, takes) => {
                brokers.take(source, takes);
                (source, takes != Takes::All, "is not acknowledged by brokers")
            }
            Fault::ArriveLate(source) if self.is_mended(source) => {
                (source, brokers.arrive_late(source), "arrives late at brokers")
            }
            Fault::LoseTail(source, part, count, is_noticed) if self.is_mended(source) => {
                (source, brokers.lose_tail(source, part, count, is_noticed), "is lost by brokers")
            }
            Fault::MakeAnew(source, is_noticed) if self.is_mended(source) => {
                (source, brokers.make_anew(source, is_noticed), "finds its topic made anew")
            }
            Fault::Age(source, part) if self.config.restored.is_none() => {
                let read = self.read_by_all(source, part.into());
                (source, brokers.age(source, part, read), "topic's messages age out")
            }
            Fault::SomebodyElse(source, part) if self.is_mended(source) => {
                brokers.hear_somebody_else(source, part);
                (source, true, "hears somebody else's program")
            }
            _ => return false,
        };
        if done {
            self.note(kind, source);
        }
        true
    }

    /// Whether all that a topic lost is there again, and was heard. What is damaged before that may need a person.
    fn is_mended(&mut self, source: Source) -> bool {
        let Some(brokers) = self.brokers.clone() else { return false };
        let ends = brokers.ends_since_damage(source);
        brokers.is_mended(source)
            && (0..).zip(ends).all(|(part, end)| end == 0 || self.read_by_all(source, part) >= end)
    }

    fn kill(&mut self, source: Source, place: PlaceNumber) -> bool {
        let asks = source == Source::Payment && !self.vendor.calls.is_empty();
        let unnoted = with!(self, source, service => {
            let process = service.places[usize::from(place)].process.as_ref();
            process.is_some_and(crate::process::Process::has_relayed_unnoted)
        });
        let killed = with!(self, source, service => service.kill(place.into()));
        if killed {
            if unnoted {
                self.note("dies between relay and mark", source);
            }
            self.note(if asks { "dies while the vendor is asked" } else { "dies between two steps" }, source);
            self.forget_askers(source, place);
        }
        killed
    }

    fn freeze(&mut self, source: Source, place: PlaceNumber, is_frozen: bool) -> bool {
        let changed = with!(self, source, service => match &mut service.places[usize::from(place)].process {
            Some(process) => std::mem::replace(&mut process.is_frozen, is_frozen) != is_frozen,
            None => false,
        });
        if changed && is_frozen {
            self.note("is frozen", source);
        }
        changed
    }

    /// Whoever reads that something is no longer kept deletes the topic, if its service was restored since.
    fn delete_torn(&mut self, source: Source) -> bool {
        let stops = |own: Source| with!(self, own, service => service.living().any(|process| process.misses_what_is_gone(source)));
        let is_missed = Source::ALL.into_iter().any(stops);
        self.brokers.as_ref().is_some_and(|brokers| is_missed && brokers.delete_torn(source))
    }

    /// What was set aside is looked at: what is of our own is taken in again, what is not is dropped.
    fn cure(&mut self, source: Source) -> bool {
        with!(self, source, service => {
            service.allergy.set(None);
            let parked: Vec<(i64, bool)> = {
                let platters = service.disk.platters();
                platters.now.parked.iter().map(|(id, parked)| (*id, parked.claim().is_none())).collect()
            };
            let Some(process) = service.awake(service.awake_place()) else { return false };
            for (id, drop) in &parked {
                let _ = process.settle_parked(*id, *drop);
            }
            !parked.is_empty()
        })
    }
}
