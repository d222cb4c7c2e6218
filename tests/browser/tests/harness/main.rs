//! The harness itself, on small pages: it does what a person does, and each judge finds what is wrong and nothing else.

mod judges;
mod pages;
mod script;
