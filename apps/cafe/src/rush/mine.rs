//! Which orders a cafe has from rushes: a rush is not let loose on a cafe that serves people.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use cafe_events::OrderId;

/// The file, within the data folder: an order's id per line.
const FILE: &str = "rush.orders";

/// Orders that were placed by this program, in this rush or an earlier one.
#[derive(Debug)]
pub(super) struct Mine {
    path: PathBuf,
    earlier: BTreeSet<OrderId>,
}

impl Mine {
    /// What was remembered in the data folder.
    pub(super) fn load(data: &Path) -> Self {
        let path = data.join(FILE);
        let earlier = std::fs::read_to_string(&path).unwrap_or_default();
        Self { earlier: earlier.lines().filter_map(|line| OrderId::try_parse(line).ok()).collect(), path }
    }

    /// Whether an order is from an earlier rush.
    pub(super) fn holds(&self, order_id: OrderId) -> bool {
        self.earlier.contains(&order_id)
    }

    /// Adds orders. A rush that cannot remember them goes on: the next one only asks before it starts.
    pub(super) fn remember(&self, orders: &[OrderId]) {
        let lines = orders.iter().fold(String::new(), |lines, order_id| lines + &order_id.to_string() + "\n");
        let file = OpenOptions::new().append(true).create(true).open(&self.path);
        if let Err(error) = file.and_then(|mut file| file.write_all(lines.as_bytes())) {
            tracing::warn!(%error, path = %self.path.display(), "the orders of this rush cannot be remembered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_of_an_earlier_rush_are_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (OrderId::from_u128(1), OrderId::from_u128(2));
        Mine::load(folder.path()).remember(&[one]);
        let mine = Mine::load(folder.path());
        assert!(mine.holds(one) && !mine.holds(other));
    }
}
