//! What the browser has told since it was opened: of its console, and of what it asked for.

use anyhow::Result;
use serde_json::Value;

use crate::session::Session;

#[derive(Debug, Default)]
pub(crate) struct News {
    /// Errors of the console.
    pub(crate) errors: Vec<String>,
    /// Events of the `DevTools` protocol's domain Network.
    pub(crate) network: Vec<Event>,
}

#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) method: String,
    pub(crate) params: Value,
}

impl News {
    /// Takes over what came meanwhile; the driver tells everything once.
    pub(crate) fn hear(&mut self, session: &Session) -> Result<()> {
        for entry in session.log("browser")? {
            if entry["level"] == "SEVERE" {
                self.errors.push(entry["message"].as_str().unwrap_or_default().to_owned());
            }
        }
        for entry in session.log("performance")? {
            let mut told: Value = serde_json::from_str(entry["message"].as_str().unwrap_or_default())?;
            let mut event = told["message"].take();
            let method = event["method"].as_str().unwrap_or_default().to_owned();
            self.network.push(Event { method, params: event["params"].take() });
        }
        Ok(())
    }
}
