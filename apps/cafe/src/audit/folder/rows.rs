//! Every SQL statement of the audit: on the tables that each service has beside its own. Ids are text, and their order is
//! that of the ids.

use std::collections::BTreeMap;

use cafe_events::{OrderId, Record, Source};
use cafe_promises::{EventFact, HeardFact, HeldFact, LinkFact, LogFact, ParkedFact, PartFact, Runs};
use cafe_store::{Connection, Error, Row};

use crate::audit::cafe::Range;

const HEAD: &str = "SELECT log_id, oldest, last, restored_at_ms FROM outbox_head WHERE id = 1";
const LINKS: &str = "SELECT source, log_id, position FROM positions WHERE source <> $1 ORDER BY source, part";
const POSITIONS: &str = "SELECT position FROM outbox WHERE position > $1 ORDER BY position LIMIT $2";
/// Whoever has a row about an order has heard of it or spoken of it.
const ORDERS_OF_PAGE: &str = "SELECT order_id FROM ( \
         SELECT DISTINCT order_id FROM outbox WHERE order_id > $1 ORDER BY order_id LIMIT $2) AS spoken_of \
     UNION SELECT order_id FROM ( \
         SELECT DISTINCT order_id FROM heard WHERE order_id > $1 ORDER BY order_id LIMIT $2) AS heard_of \
     ORDER BY order_id LIMIT $2";
const HEARD: &str = "SELECT order_id, source, next_version, hashes FROM heard \
     WHERE order_id > $1 AND order_id <= $2 ORDER BY order_id, source";
const HELD: &str = "SELECT order_id, source, version FROM held \
     WHERE order_id > $1 AND order_id <= $2 ORDER BY order_id, source, version";
const PARKED: &str = "SELECT order_id, source, version, reason FROM parked \
     WHERE order_id > $1 AND order_id <= $2 ORDER BY id";
const PARKED_WITHOUT_ORDER: &str =
    "SELECT source, version, reason FROM parked WHERE order_id IS NULL ORDER BY id LIMIT 100";
const EVENTS: &str = "SELECT position, order_id, version, kind, at_ms, body FROM outbox \
     WHERE order_id > $1 AND order_id <= $2 ORDER BY order_id, position";

/// Sorts after every id.
const END: &str = "~";

/// The head of the outbox, without its positions.
pub(super) fn head(db: &mut Connection) -> Result<LogFact, Error> {
    let head = db.query_one(HEAD, &[], |row| {
        Ok(LogFact {
            log_id: row.text(0)?,
            oldest: row.int(1)?,
            last: row.int(2)?,
            restored_at: row.opt_int(3)?.map(cafe_clock::from_ms),
            positions: Runs::default(),
        })
    })?;
    head.ok_or_else(|| Error::Refused("the outbox has no head".to_owned()))
}

/// Up to where each source was heard by `listener`.
pub(super) fn links(db: &mut Connection, listener: Source) -> Result<BTreeMap<Source, LinkFact>, Error> {
    let parts = db.query(LINKS, &[listener.name().into()], |row| {
        Ok((source(row, 0)?, PartFact { log_id: row.text(1)?, position: row.int(2)? }))
    })?;
    let mut links = BTreeMap::new();
    for (source, part) in parts {
        links.entry(source).or_insert_with(|| LinkFact { parts: Vec::new() }).parts.push(part);
    }
    Ok(links)
}

/// At most `limit` positions of the outbox.
pub(super) fn positions(db: &mut Connection, after: i64, limit: u32) -> Result<Vec<i64>, Error> {
    db.query(POSITIONS, &[after.into(), limit.into()], |row| row.int(0))
}

/// The last order of a page of about `limit` orders; nothing if there are fewer.
pub(super) fn last_of_page(
    db: &mut Connection,
    after: Option<OrderId>,
    limit: usize,
) -> Result<Option<OrderId>, Error> {
    let after = after.map(|after| after.to_string()).unwrap_or_default();
    let ids = db.query(ORDERS_OF_PAGE, &[(&after).into(), (limit as i64).into()], |row| order_id(row, 0))?;
    Ok(ids.last().copied().filter(|_| ids.len() == limit))
}

/// What was heard about the orders of a range.
pub(super) fn heard(
    db: &mut Connection,
    listener: Source,
    range: Range,
) -> Result<Vec<(OrderId, HeardFact)>, Error> {
    in_range(db, HEARD, range, |row| {
        let hashes = HeardFact::read_hashes(row.str(3)?);
        Ok((
            order_id(row, 0)?,
            HeardFact { listener, source: source(row, 1)?, next_version: version(row, 2)?, hashes },
        ))
    })
}

/// What is held about them.
pub(super) fn held(
    db: &mut Connection,
    listener: Source,
    range: Range,
) -> Result<Vec<(OrderId, HeldFact)>, Error> {
    in_range(db, HELD, range, |row| {
        Ok((order_id(row, 0)?, HeldFact { listener, source: source(row, 1)?, version: version(row, 2)? }))
    })
}

/// What was set aside about them.
pub(super) fn parked(
    db: &mut Connection,
    listener: Source,
    range: Range,
) -> Result<Vec<(OrderId, ParkedFact)>, Error> {
    in_range(db, PARKED, range, |row| {
        let version = row.opt_int(2)?.and_then(|version| u32::try_from(version).ok());
        Ok((
            order_id(row, 0)?,
            ParkedFact { listener, source: source(row, 1)?, version, reason: row.text(3)? },
        ))
    })
}

/// What was set aside and names no order.
pub(super) fn parked_without_order(db: &mut Connection, listener: Source) -> Result<Vec<ParkedFact>, Error> {
    db.query(PARKED_WITHOUT_ORDER, &[], |row| {
        let version = row.opt_int(1)?.and_then(|version| u32::try_from(version).ok());
        Ok(ParkedFact { listener, source: source(row, 0)?, version, reason: row.text(2)? })
    })
}

/// What was said about them, in the order of the log.
pub(super) fn events(
    db: &mut Connection,
    speaker: Source,
    range: Range,
) -> Result<Vec<(OrderId, EventFact)>, Error> {
    in_range(db, EVENTS, range, |row| {
        let record = Record {
            position: row.int(0)?,
            order_id: row.text(1)?,
            version: row.int(2)?,
            kind: row.text(3)?,
            at_ms: row.int(4)?,
            body: row.text(5)?,
            traceparent: None,
        };
        Ok((order_id(row, 1)?, EventFact::of(speaker, &record)))
    })
}

/// Every row of a service's own in a range, through its own paging.
pub(super) fn each<T>(
    db: &mut Connection,
    range: Range,
    page: impl Fn(&mut Connection, &str, u32) -> Result<Vec<(OrderId, T)>, Error>,
    mut take: impl FnMut(OrderId, T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    const LIMIT: u32 = 200;
    let mut after = range.after.map(|after| after.to_string()).unwrap_or_default();
    loop {
        let rows = page(db, &after, LIMIT)?;
        let Some((last, _)) = rows.last().filter(|_| rows.len() == LIMIT as usize) else {
            return rows
                .into_iter()
                .filter(|(id, _)| range.holds(*id))
                .try_for_each(|(id, row)| take(id, row));
        };
        let is_past = range.through.is_some_and(|through| *last >= through);
        after = last.to_string();
        rows.into_iter().filter(|(id, _)| range.holds(*id)).try_for_each(|(id, row)| take(id, row))?;
        if is_past {
            return Ok(());
        }
    }
}

fn in_range<T>(
    db: &mut Connection,
    sql: &str,
    range: Range,
    read: impl FnMut(&Row<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let after = range.after.map(|after| after.to_string()).unwrap_or_default();
    let through = range.through.map_or(END.to_owned(), |through| through.to_string());
    db.query(sql, &[(&after).into(), (&through).into()], read)
}

fn order_id(row: &Row<'_>, column: usize) -> Result<OrderId, Error> {
    OrderId::try_parse(row.str(column)?).map_err(|error| Error::Refused(format!("an order's id: {error}")))
}

fn source(row: &Row<'_>, column: usize) -> Result<Source, Error> {
    row.str(column)?.parse().map_err(Error::Refused)
}

fn version(row: &Row<'_>, column: usize) -> Result<u32, Error> {
    u32::try_from(row.int(column)?).map_err(|error| Error::Refused(format!("a version: {error}")))
}
