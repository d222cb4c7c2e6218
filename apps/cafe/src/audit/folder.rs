//! Facts in a data folder. Every read is a short transaction on a bounded page: a reader that lingers would keep its
//! service's write-ahead log from shrinking.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use cafe_clock::Clock;
use cafe_delivery::Place;
use cafe_events::{OrderId, Source};
use cafe_payment::vendor::simulator::record;
use cafe_promises::{ChargeFact, Kind, ParkedFact, RefundFact, Runs};
use cafe_store::{Connection, Database, Error};

use super::cafe::{Heads, PAGE, Page, Range};

mod rows;

/// A file that is busy is tried again so often…
const TRIES: u32 = 40;
/// …after this long.
const PAUSE: Duration = Duration::from_millis(50);
/// Positions of a log that are read at once.
const POSITIONS: u32 = 20_000;
/// Rows of the vendor's record that are read at once.
const RECORD_PAGE: u32 = 500;

/// A data folder that is read.
pub(super) struct Folder {
    path: PathBuf,
    services: BTreeMap<Source, Connection>,
    vendor: Option<Connection>,
    unseen: BTreeMap<Kind, String>,
}

impl Folder {
    /// Opens what is there. A database that is not there is not seen.
    pub(super) fn open(place: &Place) -> anyhow::Result<Self> {
        let path = &place.data;
        anyhow::ensure!(path.is_dir(), "{} is no folder; name the cafe's folder with --data", path.display());
        let mut folder =
            Self { path: path.to_owned(), services: BTreeMap::new(), vendor: None, unseen: BTreeMap::new() };
        for service in Source::ALL {
            let kinds = [kind_of_rows(service), Kind::Said(service), Kind::Heard(service)];
            if let Some(db) = folder.open_database(&place.database(service), &kinds)? {
                folder.services.insert(service, db);
            }
        }
        folder.vendor = folder.open_database(&(&path.join(record::FILE)).into(), &[Kind::Vendor])?;
        anyhow::ensure!(
            !folder.services.is_empty(),
            "{} holds no cafe; name its folder with --data",
            path.display()
        );
        Ok(folder)
    }

    fn open_database(&mut self, at: &Database, kinds: &[Kind]) -> anyhow::Result<Option<Connection>> {
        match patiently(|| Connection::open_peer(at)) {
            Ok(db) => Ok(Some(db)),
            Err(Error::Absent(_)) => {
                let reason = format!("there is no {at}");
                self.unseen.extend(kinds.iter().map(|kind| (*kind, reason.clone())));
                Ok(None)
            }
            Err(error) => Err(error).with_context(|| format!("{at} cannot be read")),
        }
    }

    pub(super) fn name(&self) -> String {
        format!("The data folder {}", self.path.display())
    }

    /// See [`super::cafe::Cafe::page`]. Positions are read first: whatever lies before them has been taken in since.
    pub(super) fn page(&mut self, range: Range) -> anyhow::Result<Page> {
        let heads = self.heads()?;
        let mut through = range.through;
        if through.is_none() {
            for db in self.services.values_mut() {
                let last = patiently(|| rows::last_of_page(db, range.after, PAGE))?;
                through = [through, last].into_iter().flatten().min();
            }
        }
        let range = Range { through, ..range };
        let mut page = Page { heads, through, ..Page::default() };
        for (service, db) in &mut self.services {
            read_service(db, *service, range, &mut page).with_context(|| format!("{service}'s database"))?;
        }
        if let Some(vendor) = &mut self.vendor {
            read_vendor(vendor, range, &mut page).context("the vendor's record")?;
        }
        Ok(page)
    }

    /// Where each log ends, and up to where each listener has heard the others.
    fn heads(&mut self) -> anyhow::Result<Heads> {
        let mut heads = Heads { unseen: self.unseen.clone(), ..Heads::default() };
        for (&service, db) in &mut self.services {
            heads.logs.insert(service, patiently(|| rows::head(db))?);
            let links = patiently(|| rows::links(db, service))?;
            heads.links.extend(links.into_iter().map(|(source, link)| ((service, source), link)));
        }
        Ok(heads)
    }

    /// See [`super::cafe::Cafe::logs`].
    pub(super) fn logs(&mut self) -> anyhow::Result<Heads> {
        let mut heads = self.heads()?;
        for (&service, db) in &mut self.services {
            let Some(log) = heads.logs.get_mut(&service) else { continue };
            let (mut positions, mut after) = (Runs::default(), 0);
            loop {
                let page = patiently(|| rows::positions(db, after, POSITIONS))?;
                let Some(&last) = page.last() else { break };
                after = last;
                positions.extend(page);
            }
            // It may have been pruned meanwhile.
            log.oldest = patiently(|| rows::head(db))?.oldest;
            log.positions = positions;
            heads.parked.extend(patiently(|| rows::parked_without_order(db, service))?);
        }
        Ok(heads)
    }
}

fn kind_of_rows(service: Source) -> Kind {
    match service {
        Source::Order => Kind::Orders,
        Source::Payment => Kind::Payments,
        Source::Barista => Kind::Tickets,
    }
}

/// Everything one service has about the orders of a range, as of one moment.
fn read_service(db: &mut Connection, service: Source, range: Range, page: &mut Page) -> anyhow::Result<()> {
    patiently(|| db.begin_reading())?;
    let read = (|| {
        match service {
            Source::Order => rows::each(db, range, cafe_order::page, |id, order| {
                page.case(id).order = Some(cafe_order::fact(id, &order));
                Ok(())
            })?,
            Source::Payment => rows::each(db, range, cafe_payment::page, |id, payment| {
                page.case(id).payment = Some(cafe_payment::fact(id, &payment));
                Ok(())
            })?,
            Source::Barista => rows::each(db, range, cafe_barista::page, |id, ticket| {
                page.case(id).ticket = Some(cafe_barista::fact(id, &ticket));
                Ok(())
            })?,
        }
        rows::heard(db, service, range)?.into_iter().for_each(|(id, heard)| page.case(id).heard.push(heard));
        rows::held(db, service, range)?.into_iter().for_each(|(id, held)| page.case(id).held.push(held));
        rows::parked(db, service, range)?
            .into_iter()
            .for_each(|(id, parked): (_, ParkedFact)| page.case(id).parked.push(parked));
        rows::events(db, service, range)?
            .into_iter()
            .for_each(|(id, event)| page.case(id).events.push(event));
        anyhow::Ok(())
    })();
    db.rollback()?;
    read
}

/// The vendor's charges and refunds. Keys begin with the order's id, so that a range of orders is a range of keys. What the
/// simulator will charge later is not charged yet.
fn read_vendor(db: &mut Connection, range: Range, page: &mut Page) -> anyhow::Result<()> {
    let now_ms = Clock::Real.now().as_millisecond();
    each_key(range, |after| {
        let charges = patiently(|| record::page_charges(db, after, RECORD_PAGE))?;
        Ok(charges.into_iter().map(|charge| (charge.key.clone(), charge)).collect())
    })?
    .into_iter()
    .filter(|charge| charge.declined.is_none() && charge.charged_at_ms <= now_ms)
    .for_each(|charge| {
        let at = cafe_clock::from_ms(charge.charged_at_ms);
        page.case(charge.order_id).charges.push(ChargeFact {
            id: charge.charge_id,
            amount: charge.amount,
            at,
        });
    });
    let refunds = each_key(range, |after| {
        let refunds = patiently(|| record::page_refunds(db, after, RECORD_PAGE))?;
        Ok(refunds.into_iter().map(|refund| (refund.key.clone(), refund)).collect())
    })?;
    for refund in refunds {
        let order_id = refund.key.split('/').next().and_then(|id| OrderId::try_parse(id).ok());
        let order_id = order_id.with_context(|| format!("the refund {:?} is of no order", refund.key))?;
        page.case(order_id).refunds.push(RefundFact { charge_id: refund.charge_id, amount: refund.amount });
    }
    Ok(())
}

/// Reads pages of keyed rows for as long as their keys are in the range.
fn each_key<T>(
    range: Range,
    mut read: impl FnMut(&str) -> anyhow::Result<Vec<(String, T)>>,
) -> anyhow::Result<Vec<T>> {
    let mut after = range.after.map(|after| format!("{after}~")).unwrap_or_default();
    let end = range.through.map_or("~".to_owned(), |through| format!("{through}~"));
    let mut inside = Vec::new();
    loop {
        let rows = read(&after)?;
        let Some((last, _)) = rows.last() else { return Ok(inside) };
        after.clone_from(last);
        inside.extend(rows.into_iter().take_while(|(key, _)| *key < end).map(|(_, row)| row));
        if after >= end {
            return Ok(inside);
        }
    }
}

/// Tries again while the file is busy.
fn patiently<T>(mut read: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut tries = 1;
    loop {
        match read() {
            Err(Error::Busy(_)) if tries < TRIES => {
                tries += 1;
                std::thread::sleep(PAUSE);
            }
            outcome => return outcome,
        }
    }
}
