//! What the order service is compared with: the same router and runtime, answers of the same size, and no work.

use anyhow::{Context, Result};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use cafe_system_tests::{MOMENT, http, wait_until};
use serde::{Deserialize, Serialize};
use std::process::{Child, Command, Stdio};

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
    let lines: Vec<Line> = wish.items.into_iter().enumerate().map(line).collect();
    let order = Order {
        id: "019aaf00-0000-7000-8000-000000000000".to_owned(),
        number: "0001".to_owned(),
        status: "placed".to_owned(),
        total: lines.iter().map(|line| line.price).sum(),
        currency: "KRW".to_owned(),
        store: wish.store.unwrap_or_else(|| "main".to_owned()),
        day: "2026-11-23".to_owned(),
        takeout: wish.takeout,
        placed_at: "2026-11-23T06:00:00.000Z".to_owned(),
        pay_by: "2026-11-23T06:10:00.000Z".to_owned(),
        token: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        vendor: wish.payment.vendor,
        lines,
    };
    (StatusCode::CREATED, Json(order))
}

fn line((at, item): (usize, Item)) -> Line {
    Line {
        id: (at + 1).to_string(),
        name: [item.menu.clone(), item.menu.clone()],
        menu: item.menu,
        size: item.size.unwrap_or_else(|| "medium".to_owned()),
        quantity: item.quantity,
        unit_price: 3500,
        price: 3500 * i64::from(item.quantity),
        state: "waiting".to_owned(),
    }
}

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
    vendor: String,
    #[serde(rename = "token")]
    _token: Option<String>,
}

#[derive(Serialize)]
struct Order {
    id: String,
    number: String,
    status: String,
    total: i64,
    currency: String,
    store: String,
    day: String,
    takeout: bool,
    placed_at: String,
    pay_by: String,
    token: String,
    vendor: String,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    #[serde(rename = "line_id")]
    id: String,
    menu: String,
    name: [String; 2],
    size: String,
    quantity: u32,
    unit_price: i64,
    price: i64,
    state: String,
}
