//! The pickup board, as customers see and hear it.

mod awake;
mod calls;
mod news;
mod reading;

mod ears;
