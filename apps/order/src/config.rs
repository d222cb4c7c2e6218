//! The order service's settings, all of them decided.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cafe_delivery::Rungs;
use cafe_events::Currency;
use cafe_web::StartError;
use jiff::tz::TimeZone;

use crate::menu::Menu;
use crate::wish::{STORE_RIGHT, is_store_name};

/// The least time there may be to pay an order.
pub const PAY_BY_MIN: Duration = Duration::from_secs(1);
/// The most.
pub const PAY_BY_MAX: Duration = Duration::from_hours(24);

/// What the order service needs to know before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// The cafe's data folder.
    pub data: PathBuf,
    /// What it uses beyond the folder.
    pub rungs: Rungs,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The store that makes an order which names none.
    pub store: String,
    /// Of every price on the menu.
    pub currency: Currency,
    /// What can be ordered.
    pub menu: Menu,
    /// The payment vendors that an order may name.
    pub vendors: Vec<String>,
    /// Where the cafe is: it decides when a business day begins.
    pub zone: TimeZone,
    /// How long there is to pay an order.
    pub pay_by: Duration,
}

impl Config {
    /// The defaults: port 3000, store `main`, the menu inside the program in won, paid through the simulator within 10
    /// minutes, in the system's time zone.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            rungs: Rungs::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            store: "main".to_owned(),
            currency: Currency::KRW,
            menu: Menu::built_in(),
            vendors: vec!["simulator".to_owned()],
            zone: TimeZone::system(),
            pay_by: Duration::from_mins(10),
        }
    }

    /// Refuses what cannot be used, by its name and with what would be right.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let wrong = |setting: String| Err(StartError::Setting(setting));
        if !is_store_name(&self.store) {
            return wrong(format!("store is {:?}: it {STORE_RIGHT}", self.store));
        }
        if !(PAY_BY_MIN..=PAY_BY_MAX).contains(&self.pay_by) {
            return wrong(format!("pay-by is {:?}: it must be 1s to 24h", self.pay_by));
        }
        if self.vendors.is_empty() {
            return wrong("vendors is empty: name one, such as \"simulator\"".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_cannot_be_used_is_refused_by_name() {
        let refused = |change: fn(&mut Config)| {
            let mut config = Config::new("data");
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert!(Config::new("data").check().is_ok());
        assert!(refused(|config| config.store = "a b".to_owned()).starts_with("store is \"a b\""));
        assert!(refused(|config| config.pay_by = Duration::ZERO).contains("must be 1s to 24h"));
        assert!(refused(|config| config.vendors.clear()).starts_with("vendors is empty"));
    }
}
