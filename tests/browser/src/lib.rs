//! A real browser at the sizes of our screens, and judges of what it shows.
//!
//! A test reads as a script: it goes somewhere, clicks what a person would click by the name that a person would see, and says
//! what must be there then. Whatever is not there yet is waited for, with a limit; then the test fails, saying what was on the page.
//! It fails in the test's own line, so nothing here returns a `Result`.

mod browser;
mod counter;
mod customer;
mod find;
mod judges;
mod key;
mod news;
mod screen;
mod session;
mod staff;
mod target;

pub use browser::{Browser, LIMIT};
pub use counter::Counter;
pub use customer::Customer;
pub use judges::{LongTask, MissingGlyph, SmallTarget, Violation};
pub use key::Key;
pub use screen::Screen;
pub use target::{Target, button, css, heading, hook, label, link, role, text};
