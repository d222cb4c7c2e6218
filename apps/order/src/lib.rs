//! The order service: takes orders, announces them, and shows customers what became of them.
//!
//! The rules are in `order.rs` (with `wish.rs`, `menu.rs` and `numbers.rs`), what is asked in `requests.rs`, what is heard in
//! `reactions.rs`, SQL in `store.rs`, addresses in `http/`. This file wires them.

mod backlog;
#[cfg(test)]
mod cases;
mod config;
mod domain;
mod fact;
mod heard;
#[cfg(test)]
mod histories;
mod http;
mod hub;
pub mod menu;
pub mod numbers;
pub mod order;
mod reactions;
mod requests;
mod store;
mod stored_lines;
mod tokens;
pub mod wish;
mod worker;

use std::sync::Arc;

use cafe_clock::{Clock, Ids};
use cafe_delivery::{Desk, Elsewhere, Hooks, Place};
use cafe_web::{Listeners, StaffAccess, StaffKey, StartError};
use tokio_util::sync::CancellationToken;

pub use backlog::{Backlog, Flow};
pub use config::{Config, PAY_BY_MAX, PAY_BY_MIN};
pub use domain::{Change, Orders};
pub use fact::fact;
pub use http::{Page, Terms, openapi, who_asks};
pub use requests::{Answer, IdempotencyKey, PlaceOrder, Request};
pub use store::{KeyRow, OrderTables, find, page};
pub use tokens::Tokens;
pub use worker::KEY_LIFE;

use hub::Hub;
use order::Status;

/// Runs the order service until `stop`, and returns when everything is on disk.
///
/// # Errors
/// A sentence: what keeps it from starting, or made it end early.
pub async fn run(config: Config, clock: Clock, ids: Ids, stop: CancellationToken) -> Result<(), StartError> {
    config.check()?;
    let listeners = cafe_web::listen(config.listen)?;
    run_on(listeners, config, clock, ids, stop).await
}

/// As [`run`], on sockets that are already bound.
///
/// # Errors
/// As [`run`].
pub async fn run_on(
    listeners: impl Into<Listeners>,
    config: Config,
    clock: Clock,
    ids: Ids,
    stop: CancellationToken,
) -> Result<(), StartError> {
    config.check()?;
    let listeners = listeners.into();
    cafe_web::install_metrics();
    let hub = Arc::new(Hub::default());
    let backlog = Arc::new(Backlog::new(config.pay_by));
    let place = Place::on(&config.data, &config.rungs)
        .map_err(|error| StartError::Setting(format!("database: {error}")))?;
    let domain = Orders { zone: config.zone.clone() };
    let on_commit = {
        let (hub, backlog) = (Arc::clone(&hub), Arc::clone(&backlog));
        move |change| tell(&hub, &backlog, change)
    };
    let on_elsewhere = {
        let (hub, backlog) = (Arc::clone(&hub), Arc::clone(&backlog));
        move |what: Elsewhere<'_>| tell_of_elsewhere(&hub, &backlog, what)
    };
    let hooks = Hooks::new(on_commit).elsewhere(on_elsewhere);
    let desk = cafe_delivery::start(domain, &place, clock.clone(), &ids, hooks, stop.clone())?;
    tokio::spawn(worker::do_chores(desk.clone(), Arc::clone(&backlog), clock.clone(), stop.clone()));
    let app = http::App::new(http::Parts {
        menu: http::MenuPage::new(&config.menu, config.currency),
        tokens: tokens(&desk, &ids).await?,
        staff: StaffAccess::new(
            StaffKey::load_or_create(&config.data, &ids)?,
            cafe_events::Source::Order.name(),
        ),
        desk: desk.clone(),
        config,
        hub,
        backlog,
        clock,
        ids: ids.clone(),
        stop: stop.clone(),
    });
    tracing::info!(address = %listeners.address()?, "the order service takes orders");
    cafe_web::serve(listeners, http::router(app), ids, stop).await?;
    desk.stopped().await.map_err(StartError::Ended)
}

async fn tokens(desk: &Desk<Orders>, ids: &Ids) -> Result<Tokens, StartError> {
    match desk.ask(Request::TokenSecret(Tokens::new_secret(ids)), None).await {
        Ok(Answer::TokenSecret(secret)) => Ok(Tokens::new(&secret)),
        Ok(answer) => Err(StartError::Ended(format!("the tokens' secret was answered with {answer:?}"))),
        Err(error) => Err(StartError::Ended(error.to_string())),
    }
}

/// Tells whoever watches here of what another replica did.
fn tell_of_elsewhere(hub: &Hub, backlog: &Backlog, what: Elsewhere<'_>) {
    let Elsewhere::Said(line) = what else { return hub.tell_all() };
    if let Some(news) = domain::read_news(line) {
        hub.tell(news.order_id);
        news.reached.into_iter().for_each(|placed_at| backlog.reached(placed_at));
    }
}

/// Tells whoever watches the order. On the writer's thread: it must not wait.
fn tell(hub: &Hub, backlog: &Backlog, change: Change) {
    hub.tell(change.order_id);
    if change.before == Some(change.after) {
        return;
    }
    if change.before.is_none() && change.after == Status::Placed {
        metrics::counter!("cafe_orders_accepted_total").increment(1);
    }
    metrics::counter!("cafe_orders_status_total", "status" => change.after.name()).increment(1);
    change.reached().into_iter().for_each(|placed_at| backlog.reached(placed_at));
}
