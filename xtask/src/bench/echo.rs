//! What the order service is compared with: the same router, runtime and allocator, answers of the same size, and no work.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use cafe_system_tests::{MOMENT, http, wait_until};
use serde::{Deserialize, Serialize};

/// As many as a service of the program has.
const WORKER_THREADS: usize = 2;

/// A bare server in a process of its own, as the order service is.
pub(crate) struct Echo {
    child: Child,
    pub(crate) port: u16,
}

impl Echo {
    pub(crate) fn start() -> Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(std::env::current_exe()?);
        let child = command.args(["echo", &port.to_string()]).stdin(Stdio::null()).spawn().context("echo")?;
        let echo = Self { child, port };
        wait_until(MOMENT, "the echo answers", || http::get(port, "/health/ready", None).ok());
        Ok(echo)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until it is killed.
pub(crate) fn serve(port: u16) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKER_THREADS).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let router = Router::new().route("/orders", post(echo)).route("/health/ready", get(|| async {}));
        Ok(axum::serve(listener, router).await?)
    })
}

async fn echo(Json(wish): Json<Wish>) -> (StatusCode, Json<Order>) {
    let lines: Vec<Line> = wish.items.into_iter().zip(1..).map(line).collect();
    let order = Order {
        id: "019aaf00-0000-7000-8000-000000000000".to_owned(),
        number: "0001".to_owned(),
        day: "2026-11-23".to_owned(),
        store: wish.store.unwrap_or_else(|| "main".to_owned()),
        status: "placed",
        total: lines.iter().map(|line| line.price).sum(),
        currency: "KRW",
        takeout: wish.takeout,
        lines,
        placed_at: NOON.to_owned(),
        pay_by: NOON.to_owned(),
        refunded: 0,
        cancel: None,
        steps: vec![Step { status: "placed", at: NOON.to_owned() }],
        versions: [("order", 1), ("payment", 0), ("ticket", 0)].into(),
        payment_delayed: false,
        token: wish.payment.token.unwrap_or_default().repeat(7),
    };
    (StatusCode::CREATED, Json(order))
}

fn line((item, id): (Item, u32)) -> Line {
    Line {
        id,
        name: [("en", item.menu.clone()), ("ko", item.menu.clone())].into(),
        menu: item.menu,
        size: item.size.unwrap_or_else(|| "medium".to_owned()),
        quantity: item.quantity,
        options: Vec::new(),
        takeout: false,
        unit_price: 3500,
        price: 3500 * i64::from(item.quantity),
        state: "waiting",
    }
}

const NOON: &str = "2026-11-23T03:00:00.000Z";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    items: Vec<Item>,
    #[serde(default)]
    takeout: bool,
    store: Option<String>,
    payment: Payment,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    menu: String,
    size: Option<String>,
    quantity: u32,
}

#[derive(Deserialize)]
struct Payment {
    token: Option<String>,
}

#[derive(Serialize)]
struct Order {
    id: String,
    number: String,
    day: String,
    store: String,
    status: &'static str,
    total: i64,
    currency: &'static str,
    takeout: bool,
    lines: Vec<Line>,
    placed_at: String,
    pay_by: String,
    refunded: i64,
    cancel: Option<String>,
    steps: Vec<Step>,
    versions: BTreeMap<&'static str, u32>,
    payment_delayed: bool,
    token: String,
}

#[derive(Serialize)]
struct Line {
    #[serde(rename = "line_id")]
    id: u32,
    menu: String,
    name: BTreeMap<&'static str, String>,
    size: String,
    quantity: u32,
    options: Vec<String>,
    takeout: bool,
    unit_price: i64,
    price: i64,
    state: &'static str,
}

#[derive(Serialize)]
struct Step {
    status: &'static str,
    at: String,
}
