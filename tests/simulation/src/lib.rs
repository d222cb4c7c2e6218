//! The whole cafe in one thread from one seed, with faults between any two steps.
//!
//! [`transition`] is what may happen next, [`choose`] draws it, [`world`] lets it happen: the services' own rules, turns,
//! listeners, leases and worker, on disks in memory ([`memory`], [`disk`]) and beside a vendor of ours ([`vendor`]). [`settle`] ends
//! all faults, [`judge`] asks the promises of `libs/promises`, [`run`] does it all for a seed and finds the shortest schedule.
//! On one seed in a thousand a file of `SQLite` must have what memory has ([`twin`]). What is not simulated is said in ARCHITECTURE.

pub mod again;
pub mod bench;
pub mod broker;
pub mod bugs;
pub mod campaign;
pub mod carrier;
pub mod choose;
pub mod config;
pub mod coverage;
pub mod disk;
pub mod draw;
pub mod judge;
pub mod memory;
pub mod older;
pub mod people;
pub mod planted;
pub mod process;
pub mod robot;
pub mod run;
pub mod service;
pub mod settle;
pub mod shelf;
pub mod table;
pub mod trace;
pub mod transition;
pub mod twin;
pub mod vendor;
pub mod world;
pub mod wrong;
