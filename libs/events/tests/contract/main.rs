//! What we promise to whoever listens: the schemas only grow, examples and schemas agree, and the document is whole.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod compatible;
mod document;
mod frozen;
