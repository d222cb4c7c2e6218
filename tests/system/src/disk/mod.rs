//! What a power cut leaves of a cafe: everything done to its files is recorded, and the folder is built again as it may have
//! been found on the disk at any moment of the record.
//!
//! Nothing of this asks the program: `strace` tells what it did, and what was answered to whom.

mod checked;
mod draw;
mod found;
mod moments;
mod record;
mod strace;
mod torn;

pub use checked::demand_all_kept;
pub use draw::Draw;
pub use moments::{Kind, Moment};
pub use record::Record;
