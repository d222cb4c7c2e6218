//! A disk that fails to sync, and one that is full.

mod full;
mod syncs;
