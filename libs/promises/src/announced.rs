//! What each service said: its log, its versions, its state.

use cafe_events::Source;

use crate::{Broken, Case, Evidence, Kind, Seen, not_seen};

const ALL_SAID: [Kind; 3] =
    [Kind::Said(Source::Order), Kind::Said(Source::Payment), Kind::Said(Source::Barista)];

/// Per order and source, versions run 1..n with no gap and no inversion in the order of the log. The first ones may be
/// missing where the log was pruned, or lies in a log from before a restore.
pub fn versions_run(evidence: &Evidence) -> Seen {
    Seen::by_case(evidence, &ALL_SAID, |order_id, case, wrong| {
        for source in Source::ALL {
            let mut said: Vec<_> =
                case.said_by(source).map(|event| (event.position, event.version)).collect();
            said.sort_unstable();
            let Some(&(_, first)) = said.first() else { continue };
            let may_start_later = evidence.is_pruned(source) || evidence.may_be_lost(source, order_id);
            if first != 1 && !may_start_later {
                wrong.push(format!("{source}'s log starts with version {first} of this order, not with 1"));
            }
            let jumps = said.windows(2).filter(|pair| pair[1].1 != pair[0].1 + 1);
            wrong.extend(jumps.map(|pair| {
                let [(at, before), (_, after)] = [pair[0], pair[1]];
                format!("in {source}'s log, version {after} follows version {before} (position {at})")
            }));
            wrong.extend(case.said_by(source).filter_map(|event| {
                let reason = event.said.as_ref().err()?;
                Some(format!("{source}'s version {} cannot be read: {reason}", event.version))
            }));
        }
        !case.events.is_empty()
    })
}

/// A log's positions run from the oldest kept to the last given, without gaps.
pub fn logs_have_no_gaps(evidence: &Evidence) -> Seen {
    if let Some(reason) = not_seen(evidence, &ALL_SAID) {
        return Seen::NotChecked(reason);
    }
    let gaps = evidence.logs.iter().flat_map(|(source, log)| {
        let gaps = log.positions.gaps(log.oldest, log.last);
        gaps.into_iter().map(move |(from, to)| {
            let range = if from == to { from.to_string() } else { format!("{from} to {to}") };
            format!("{source}'s log runs to {} but has nothing at position {range}", log.last)
        })
    });
    let broken = gaps.map(|what| Broken { order_id: None, number: None, what }).collect();
    Seen::Checked { looked_at: evidence.logs.len() as u64, broken }
}

/// A service's state about an order has version n exactly if its log holds events up to n.
pub fn state_matches_events(evidence: &Evidence) -> Seen {
    let needs = [&ALL_SAID[..], &[Kind::Orders, Kind::Payments, Kind::Tickets]].concat();
    Seen::by_case(evidence, &needs, |order_id, case, wrong| {
        for source in Source::ALL {
            let said = case.last_version(source);
            let state = version_of_state(case, source);
            let log_may_be_short = evidence.is_pruned(source) || evidence.may_be_lost(source, order_id);
            match state {
                None if said > 0 => {
                    wrong.push(format!("{source} said {said} events but has no row for the order"));
                }
                Some(version) if version == said || (said == 0 && log_may_be_short) => {}
                Some(version) => {
                    wrong.push(format!(
                        "{source}'s row has version {version}, the last event in its log is {said}"
                    ));
                }
                None => {}
            }
        }
        true
    })
}

fn version_of_state(case: &Case, source: Source) -> Option<u32> {
    match source {
        Source::Order => case.order.as_ref().map(|order| order.versions.order),
        Source::Payment => case.payment.as_ref().map(|payment| payment.version),
        Source::Barista => case.ticket.as_ref().map(|ticket| ticket.version),
    }
}
