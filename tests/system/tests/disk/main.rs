//! What a disk can do to a cafe: lose what was not synced, fail to sync, and be full.

mod power_cut;
