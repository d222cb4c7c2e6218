//! `cafe rush`: customers from nowhere, in an open loop: they come when they come, however slow the cafe is. Then a check of
//! every promise that can be seen.

mod cautious;
mod customer;
mod follow;
mod mine;
mod plan;
mod screen;
mod summary;
mod tally;
mod wire;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use cafe_clock::{Clock, Ids};
use cafe_events::Source;
use cafe_promises::CustomerFact;
use clap::Args;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::audit::{self, Told};
use crate::client::Client;
use crate::services;
use crate::settings::{Settings, Span};
use mine::Mine;
use plan::{Customer, Mix, Plan};
use tally::{Shared, Taken};
use wire::Wire;

/// How long a service may take to answer what is not an order.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The most connections that customers may have at a time.
const CLIENTS_MAX: usize = 10_000;

#[derive(Args)]
pub(crate) struct RushArgs {
    /// How many customers come
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    orders: u32,
    /// How many come in a second
    #[arg(long, default_value_t = 100.0)]
    rate: f64,
    /// The same customers come again for the same seed [default: drawn, and shown]
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    mix: Mix,
    /// How many customers may be talking at a time
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// How long orders may take to come to their ends after the last customer came; longer if they have longer to be paid
    #[arg(long, default_value = "60s", value_name = "TIME")]
    settle: Span,
    /// Only the outcome, as JSON
    #[arg(long)]
    json: bool,
    /// Also in a cafe with orders that are not from a rush
    #[arg(long)]
    yes_not_only_mine: bool,
}

/// A rush, for everyone who takes part in it.
struct Rush {
    began: Instant,
    customers: Vec<Arc<Customer>>,
    /// The next customer to come.
    next: AtomicUsize,
    order: SocketAddr,
    payment: SocketAddr,
    /// With the staff key.
    staff: Client,
    /// For what customers do besides ordering.
    errands: Client,
    mine: Mine,
    tally: Shared,
    settle: Duration,
    quiet: bool,
}

/// Lets them come, waits until everything has settled, and judges.
pub(crate) async fn run(args: RushArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    args.check()?;
    let client = Client::new(ANSWER_TIMEOUT);
    let staff = client.with_bearer(&services::staff_key(settings)?);
    let mine = Mine::load(settings.data());
    cautious::only_the_simulator(&staff, &settings.url(Source::Payment)).await?;
    if !args.yes_not_only_mine {
        cautious::only_mine(&staff, &settings.url(Source::Order), &mine).await?;
    }
    let (seed, plan) = args.draw(&client, settings).await?;
    let tokens = plan.tokens();
    let rush = Arc::new(Rush {
        began: Instant::now(),
        customers: plan.customers.into_iter().map(Arc::new).collect(),
        next: AtomicUsize::new(0),
        order: settings.address(Source::Order),
        payment: settings.address(Source::Payment),
        staff,
        errands: client,
        mine,
        tally: Shared::new(),
        settle: args.settle.0,
        quiet: args.json,
    });
    let followed = rush.take_place(args.clients).await;
    let told = rush.told();
    let verdict = audit::after_rush(settings, &told, !followed.no_barista).await?;
    let outcome =
        summary::Outcome { seed, rate: args.rate, tokens, took: rush.began.elapsed(), followed, verdict };
    let all_well = outcome.print(&rush, args.json)?;
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl RushArgs {
    fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.rate > 0.0 && self.rate <= 1e6,
            "--rate is {}; it is above 0, in customers per second",
            self.rate
        );
        anyhow::ensure!(
            (1..=CLIENTS_MAX).contains(&self.clients),
            "--clients is {}; it is from 1 to {CLIENTS_MAX}",
            self.clients
        );
        self.mix.check()
    }

    async fn draw(&self, client: &Client, settings: &Settings) -> anyhow::Result<(u64, Plan)> {
        let ids = Ids::random();
        let name = ids.uuid(Clock::Real.now()).simple().to_string();
        let seed = self.seed.unwrap_or_else(|| (ids.fraction() * 1e9) as u64);
        let url = format!("{}/menu", settings.url(Source::Order));
        let answer = client.get(&url).await?;
        let menu = plan::read_menu(&answer.body).with_context(|| format!("{url} answers what is no menu"))?;
        Ok((seed, Plan::draw(self.orders, self.rate, seed, &self.mix, &menu, &name)))
    }
}

impl Rush {
    fn customers(&self) -> u64 {
        self.customers.len() as u64
    }

    /// Everybody comes, and every order is followed to its end.
    async fn take_place(self: &Arc<Self>, clients: usize) -> follow::Followed {
        let (came, all_came) = watch::channel(None);
        let mut talking = JoinSet::new();
        for _ in 0..clients {
            talking.spawn(serve(Arc::clone(self)));
        }
        let coming = async {
            while talking.join_next().await.is_some() {}
            came.send_replace(Some(Instant::now()));
            std::future::pending::<()>().await;
        };
        tokio::select! {
            followed = follow::to_the_end(self, &all_came) => followed,
            () = async { tokio::join!(coming, screen::show(self)); } => unreachable!("both go on until the end"),
        }
    }

    /// What customers were told.
    fn told(&self) -> Told {
        let tally = self.tally.lock();
        let mut told = Told::default();
        for Taken { order_id, told: customer, .. } in &tally.taken {
            let customer = CustomerFact { cancelled: tally.cancelled.contains(order_id), ..customer.clone() };
            told.entry(*order_id).or_default().push(customer);
        }
        told
    }
}

/// One connection: it is taken by the next customer who comes, when they come.
async fn serve(rush: Arc<Rush>) {
    let mut wire = Wire::new(rush.order);
    while let Some(customer) = rush.customers.get(rush.next.fetch_add(1, Ordering::Relaxed)) {
        sleep_until(rush.began + customer.comes_at).await;
        customer::order(&rush, &mut wire, customer).await;
    }
}
