//! The screens that others open on their own devices, and where.

use std::net::{IpAddr, SocketAddr};

use cafe_events::Source;

use crate::reach;
use crate::settings::Settings;

/// A screen for people.
struct Screen {
    name: &'static str,
    service: Source,
    /// Below its service's root.
    path: &'static str,
}

/// Every one that needs no key.
const SCREENS: [Screen; 2] = [
    Screen { name: "to order", service: Source::Order, path: "/" },
    Screen { name: "pickup board", service: Source::Barista, path: "/board" },
];

/// How others get in.
pub(super) enum Reach {
    /// Not at all: the services listen for this machine.
    Nobody,
    /// They would, if this machine were on a network.
    NoNetwork,
    /// By these addresses of screens: what a screen is called, and where it is.
    Screens {
        screens: Vec<(&'static str, String)>,
        /// Other addresses of this machine, at which the screens are as well.
        also_at: Vec<IpAddr>,
    },
}

/// Where others open the screens: below the public URL if there is one, else at an address of this machine.
pub(super) fn reach(settings: &Settings) -> Reach {
    if let Some(public_url) = &settings.public_url {
        let at = |screen: &Screen| {
            // As the file for the proxy in `docker/` has it.
            let service = match screen.service {
                Source::Order => "",
                Source::Payment => "/pay",
                Source::Barista => "/bar",
            };
            (screen.name, public_url.at(&format!("{service}{}", screen.path)))
        };
        return Reach::Screens { screens: SCREENS.iter().map(at).collect(), also_at: Vec::new() };
    }
    if settings.listen.0.is_loopback() {
        return Reach::Nobody;
    }
    let mut addresses = reach::addresses(settings.listen.0).into_iter();
    let Some(likeliest) = addresses.next() else { return Reach::NoNetwork };
    let at = |screen: &Screen| {
        let address = SocketAddr::from((likeliest, settings.port(screen.service)));
        (screen.name, format!("http://{address}{}", screen.path))
    };
    Reach::Screens { screens: SCREENS.iter().map(at).collect(), also_at: addresses.collect() }
}
