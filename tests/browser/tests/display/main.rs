//! The barista's display, as staff use it.

mod door;
mod everyone;
mod news;
mod race;
mod slips;
mod way;
