//! What is promised of every byte that comes from outside.
//!
//! Each module takes anything at all and panics if a promise is broken: an engine that is guided by coverage looks for such
//! bytes (`engine/`, run by `cargo xtask inputs`), and `tests/corpus.rs` tries the ones that are kept in `corpus/`.

pub mod event;
pub mod menu;
pub mod order_body;
mod problem;
pub mod request;
pub mod settings;

/// One of the modules, by name.
pub type Target = (&'static str, fn(&[u8]));

/// Every one, as its folder in `corpus/` and its program in `engine/` are called.
pub const TARGETS: [Target; 5] = [
    ("order_body", order_body::check),
    ("event", event::check),
    ("menu", menu::check),
    ("settings", settings::check),
    ("request", request::check),
];

/// Runs what is asynchronous on this thread.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    use tokio::runtime::{Builder, Runtime};
    thread_local! {
        static RUNTIME: Runtime =
            Builder::new_current_thread().enable_time().build().expect("a runtime without I/O can always be had");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}
