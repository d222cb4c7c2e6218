//! Who comes, when, and what they do: drawn from the seed before the first of them moves. Pure.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use cafe_events::Size;
use clap::Args;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;
use serde_json::json;

/// Every second customer who cancels does so at once, the others at a moment within this time of their order.
const CANCELS_WITHIN: Duration = Duration::from_secs(3);
/// The most lines that a customer orders.
const LINES_MAX: u32 = 3;

/// How customers are shared out; whoever is left over pays with `tok_ok`.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Mix {
    /// Whose card is declined
    #[arg(long, default_value = "10%", value_name = "SHARE")]
    decline: Share,
    /// Who cancel at a random moment
    #[arg(long, default_value = "5%", value_name = "SHARE")]
    cancel: Share,
    /// Who send the same request twice at once
    #[arg(long, default_value = "5%", value_name = "SHARE")]
    resend: Share,
    /// Whose vendor takes 5 s to answer
    #[arg(long, default_value = "1%", value_name = "SHARE")]
    slow: Share,
    /// Whose vendor charges and never answers
    #[arg(long, default_value = "1%", value_name = "SHARE")]
    timeout: Share,
    /// Whose vendor does not answer and charges 30 s later
    #[arg(long, default_value = "1%", value_name = "SHARE")]
    late: Share,
    /// Whose vendor fails first
    #[arg(long, default_value = "1%", value_name = "SHARE")]
    error: Share,
    /// Whose vendor never answers and never charges
    #[arg(long, default_value = "1%", value_name = "SHARE")]
    never: Share,
    /// Whose vendor does not answer when asked to give money back; they all cancel
    #[arg(long, default_value = "1%", value_name = "SHARE")]
    refund_timeout: Share,
}

/// A part of all customers, written as `5%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share(f64);

/// A drink that can be ordered.
#[derive(Clone, Debug)]
pub(super) struct Drink {
    pub(super) menu: String,
    pub(super) sizes: Vec<Size>,
}

/// A customer from nowhere.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    /// When they come, from the start of the rush.
    pub(super) comes_at: Duration,
    /// Their Idempotency-Key.
    pub(super) key: String,
    /// The body of their request.
    pub(super) body: Bytes,
    /// How their vendor behaves.
    pub(super) token: &'static str,
    /// They send the same request twice at once.
    pub(super) sends_twice: bool,
    /// They cancel so long after their order was taken.
    pub(super) cancels_after: Option<Duration>,
}

/// Everyone who comes, in the order in which they come.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) customers: Vec<Customer>,
}

impl Plan {
    /// Draws `orders` customers who come at `rate` per second, evenly. `name` makes their keys new, so that the same
    /// customers can come again.
    pub(super) fn draw(orders: u32, rate: f64, seed: u64, mix: &Mix, menu: &[Drink], name: &str) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let tokens = mix.tokens(orders, &mut rng);
        let cancels = dealt(orders, &[(mix.cancel, true)], false, &mut rng);
        let resends = dealt(orders, &[(mix.resend, true)], false, &mut rng);
        let customers = (0..orders as usize).map(|index| Customer {
            comes_at: Duration::from_secs_f64(index as f64 / rate),
            key: format!("rush-{name}-{index}"),
            body: body(menu, tokens[index], &mut rng),
            token: tokens[index],
            sends_twice: resends[index],
            cancels_after: cancels_after(tokens[index], cancels[index], &mut rng),
        });
        Self { customers: customers.collect() }
    }

    /// How many customers pay with each token.
    pub(super) fn tokens(&self) -> std::collections::BTreeMap<&'static str, u32> {
        self.customers.iter().fold(std::collections::BTreeMap::new(), |mut counts, customer| {
            *counts.entry(customer.token).or_default() += 1;
            counts
        })
    }
}

impl Mix {
    fn tokens(&self, orders: u32, rng: &mut StdRng) -> Vec<&'static str> {
        let shares = [
            (self.decline, "tok_declined"),
            (self.slow, "tok_slow"),
            (self.timeout, "tok_timeout"),
            (self.late, "tok_late"),
            (self.error, "tok_error"),
            (self.never, "tok_never"),
            (self.refund_timeout, "tok_refund_timeout"),
        ];
        dealt(orders, &shares, "tok_ok", rng)
    }

    /// More than everybody cannot pay one way or another.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let shares =
            [self.decline, self.slow, self.timeout, self.late, self.error, self.never, self.refund_timeout];
        let sum: f64 = shares.iter().map(|share| share.0).sum();
        anyhow::ensure!(
            sum <= 1.0,
            "the tokens' shares add up to {:.0}%; at most 100% can be shared out",
            sum * 100.0
        );
        Ok(())
    }
}

/// One card for each of `orders` customers, shuffled. A share that is not nothing is at least one customer, so that a rush
/// tries everything it is asked to.
fn dealt<T: Copy>(orders: u32, shares: &[(Share, T)], rest: T, rng: &mut StdRng) -> Vec<T> {
    let mut cards = Vec::with_capacity(orders as usize);
    for &(Share(share), card) in shares {
        let count = (share * f64::from(orders)).ceil() as usize;
        cards.extend(std::iter::repeat_n(card, count.min(orders as usize - cards.len())));
    }
    cards.resize(orders as usize, rest);
    cards.shuffle(rng);
    cards
}

/// Nobody would notice that a vendor does not answer when asked to give money back, if it were not asked to.
fn cancels_after(token: &str, cancels: bool, rng: &mut StdRng) -> Option<Duration> {
    if token == "tok_refund_timeout" {
        return Some(Duration::ZERO);
    }
    let later = rng.random_bool(0.5).then(|| CANCELS_WITHIN.mul_f64(rng.random::<f64>()));
    cancels.then(|| later.unwrap_or_default())
}

fn body(menu: &[Drink], token: &str, rng: &mut StdRng) -> Bytes {
    let items: Vec<_> = (0..rng.random_range(1..=LINES_MAX))
        .map(|_| {
            let drink = &menu[rng.random_range(0..menu.len())];
            let size = drink.sizes[rng.random_range(0..drink.sizes.len())];
            json!({ "menu": drink.menu, "size": size, "quantity": rng.random_range(1..=2) })
        })
        .collect();
    let payment = json!({ "vendor": "simulator", "token": token });
    json!({ "items": items, "takeout": rng.random_bool(0.5), "payment": payment }).to_string().into()
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        match percent {
            Some(percent) if (0.0..=100.0).contains(&percent) => Ok(Self(percent / 100.0)),
            _ => Err(format!("{text:?} is not a share; write one from 0% to 100%, such as 5%")),
        }
    }
}

/// Reads what `GET /menu` answers.
pub(super) fn read_menu(answer: &[u8]) -> anyhow::Result<Vec<Drink>> {
    #[derive(Deserialize)]
    struct Menu {
        drinks: Vec<OnMenu>,
    }
    #[derive(Deserialize)]
    struct OnMenu {
        menu: String,
        sizes: Vec<OfSize>,
    }
    #[derive(Deserialize)]
    struct OfSize {
        size: Size,
    }
    let menu: Menu = serde_json::from_slice(answer)?;
    let drinks = menu
        .drinks
        .into_iter()
        .map(|drink| Drink { menu: drink.menu, sizes: drink.sizes.into_iter().map(|of| of.size).collect() });
    let drinks: Vec<Drink> = drinks.filter(|drink| !drink.sizes.is_empty()).collect();
    anyhow::ensure!(!drinks.is_empty(), "there is nothing on the menu");
    Ok(drinks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Usual {
        #[command(flatten)]
        mix: Mix,
    }

    fn usual() -> Mix {
        <Usual as clap::Parser>::parse_from(["rush"]).mix
    }

    fn draw(orders: u32, seed: u64) -> Plan {
        let menu = [Drink { menu: "latte".to_owned(), sizes: vec![Size::Small, Size::Large] }];
        Plan::draw(orders, 200.0, seed, &usual(), &menu, "test")
    }

    #[test]
    fn the_same_seed_brings_the_same_customers() {
        let (one, again, other) = (draw(50, 7), draw(50, 7), draw(50, 8));
        assert_eq!(format!("{one:?}"), format!("{again:?}"));
        assert_ne!(format!("{one:?}"), format!("{other:?}"));
    }

    #[test]
    fn shares_are_kept_and_everything_is_tried_even_by_few() {
        assert_eq!(draw(2_000, 1).tokens()["tok_declined"], 200);
        assert_eq!(draw(2_000, 1).tokens()["tok_late"], 20);
        assert_eq!(draw(20, 1).tokens().len(), 8);
        assert_eq!(draw(2_000, 1).customers.iter().filter(|customer| customer.sends_twice).count(), 100);
    }

    #[test]
    fn customers_come_evenly_at_the_rate() {
        let plan = draw(2_000, 1);
        assert_eq!(plan.customers[0].comes_at, Duration::ZERO);
        assert_eq!(plan.customers[1_000].comes_at, Duration::from_secs(5));
    }

    #[test]
    fn a_wrong_share_is_answered_with_a_right_one() {
        assert!("5".parse::<Share>().is_err() && "101%".parse::<Share>().is_err());
        assert_eq!("0.5%".parse(), Ok(Share(0.005)));
    }
}
