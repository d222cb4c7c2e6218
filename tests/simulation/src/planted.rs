//! A service's decisions, as they are or with something wrong about them.

use std::sync::{Arc, Mutex, PoisonError};

use cafe_delivery::{Domain, Head, Poison, Tables, Turn};
use cafe_events::{Heard, OrderId, Source};
use cafe_order::numbers::DayNumbers;
use cafe_store::{Connection, Error, Migration, Statements};
use jiff::Timestamp;

use crate::bugs::Bug;
use crate::shelf::Shelved;

/// A service's decisions; with a planted bug some are wrong.
pub struct Planted<D> {
    inner: D,
    bug: Option<Bug>,
    allergy: Allergy,
    memo: Memo,
}

/// What a bug remembers in memory that belongs on the disk.
#[derive(Default)]
pub struct Memo(Mutex<Option<DayNumbers>>);

impl Memo {
    /// The last number.
    pub fn numbers(&self) -> Option<DayNumbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the last number.
    pub fn keep_numbers(&self, numbers: Option<DayNumbers>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = numbers;
    }
}

/// The order about which a service can take in nothing at the moment, as if its rules had a bug. Clones share it.
#[derive(Clone, Default)]
pub struct Allergy(Arc<Mutex<Option<OrderId>>>);

/// A service in whose decisions bugs can be planted.
pub trait Plantable: Domain {
    /// Answers a request with a bug.
    fn decide_wrongly(
        &self,
        _bug: Bug,
        _memo: &Memo,
        tables: &mut Self::Tables,
        request: &Self::Request,
        now: Timestamp,
        turn: &mut Turn<Self::Effect>,
    ) -> Self::Answer {
        self.decide(tables, request, now, turn)
    }

    /// Takes in an event with a bug.
    fn hear_wrongly(
        &self,
        _bug: Bug,
        tables: &mut Self::Tables,
        heard: &Heard,
        now: Timestamp,
        turn: &mut Turn<Self::Effect>,
    ) -> Result<(), Poison> {
        self.hear(tables, heard, now, turn)
    }
}

impl Allergy {
    /// Nothing about this order can be taken in from now on; or everything again.
    pub fn set(&self, order_id: Option<OrderId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = order_id;
    }

    fn is_to(&self, order_id: OrderId) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) == Some(order_id)
    }
}

impl<D> Planted<D> {
    /// With a bug, or without.
    pub fn new(inner: D, bug: Option<Bug>, allergy: &Allergy) -> Self {
        Self { inner, bug, allergy: allergy.clone(), memo: Memo::default() }
    }
}

impl<D: Plantable> Domain for Planted<D> {
    const SOURCE: Source = D::SOURCE;
    type Tables = D::Tables;
    type Request = D::Request;
    type Answer = D::Answer;
    type Effect = D::Effect;

    fn news_of(effect: &D::Effect) -> Option<String> {
        D::news_of(effect)
    }

    fn needs_of_heard(&self, heard: &Heard, tables: &mut D::Tables) {
        self.inner.needs_of_heard(heard, tables);
    }

    fn needs_of_request(&self, request: &D::Request, tables: &mut D::Tables) {
        self.inner.needs_of_request(request, tables);
    }

    fn hear(
        &self,
        tables: &mut D::Tables,
        heard: &Heard,
        now: Timestamp,
        turn: &mut Turn<D::Effect>,
    ) -> Result<(), Poison> {
        if self.allergy.is_to(heard.order_id) {
            return Err(Poison("a rule has a bug".to_owned()));
        }
        match self.bug {
            Some(bug) => self.inner.hear_wrongly(bug, tables, heard, now, turn),
            None => self.inner.hear(tables, heard, now, turn),
        }
    }

    fn decide(
        &self,
        tables: &mut D::Tables,
        request: &D::Request,
        now: Timestamp,
        turn: &mut Turn<D::Effect>,
    ) -> D::Answer {
        match self.bug {
            Some(bug) => self.inner.decide_wrongly(bug, &self.memo, tables, request, now, turn),
            None => self.inner.decide(tables, request, now, turn),
        }
    }
}

impl<D: Plantable + Tables> Tables for Planted<D> {
    const MIGRATIONS: &'static [Migration] = D::MIGRATIONS;
    const STATEMENTS: Statements = D::STATEMENTS;

    fn load(db: &mut Connection, tables: &mut D::Tables) -> Result<(), Error> {
        D::load(db, tables)
    }

    fn write(db: &mut Connection, tables: &D::Tables) -> Result<(), Error> {
        D::write(db, tables)
    }
}

impl<D: Plantable + Shelved> Shelved for Planted<D> {
    type Shelf = D::Shelf;

    fn load(shelf: &D::Shelf, head: &Head, rows: &mut D::Tables) {
        D::load(shelf, head, rows);
    }

    fn write(shelf: &mut D::Shelf, rows: &D::Tables) {
        D::write(shelf, rows);
    }
}
