//! The barista's display, as staff use it.

mod door;
mod everyone;
mod many;
mod news;
mod race;
mod slips;
mod way;
