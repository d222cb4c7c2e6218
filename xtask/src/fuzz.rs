//! Schemathesis: requests drawn from each service's own `OpenAPI` document, answers held against it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cafe_system_tests::{Cafe, MOMENT, Service, http, wait_until};

use crate::parts::Outcome;
use crate::shell;

/// A broken answer, an undocumented one, or one of another shape than documented.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// For each operation of each service.
const EXAMPLES: &str = "50";
/// Orders that are there beforehand, so that there is something to find, change and refuse.
const ORDERS: usize = 40;

/// Fuzzes the three services of a cafe that has tickets in every state, and audits what is left of it.
pub(crate) fn run() -> Result<Outcome> {
    let schemathesis = install()?;
    let cafe = Cafe::up(&[]);
    let settings = cafe.data().with_file_name("schemathesis.toml");
    std::fs::write(&settings, known(&prepare(&cafe)?))?;
    let (mut passed, mut failed) = (0, 0);
    for service in Service::ALL {
        println!("--- {}", service.name());
        if shell::run(&mut command(&schemathesis, &settings, &cafe, service))? {
            passed += 1;
        } else {
            failed += 1;
        }
    }
    cafe.audit();
    Ok(Outcome::Ran { passed: passed + 1, failed })
}

fn command(schemathesis: &Path, settings: &Path, cafe: &Cafe, service: Service) -> Command {
    let document = format!("http://127.0.0.1:{}/openapi.json", cafe.port(service));
    let mut command = shell::command(schemathesis, ["--no-color", "--config-file"]);
    command.arg(settings).args(["run", &document]);
    command.args(["--checks", CHECKS, "--max-examples", EXAMPLES]);
    command.args(["--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure"]);
    // Streams of events never end.
    command.args(["--exclude-path-regex", "/events$", "--request-timeout", "10"]);
    command.arg("--header").arg(format!("Authorization: Bearer {}", cafe.staff_key()));
    // Its notes on earlier runs stay out of the project.
    command.current_dir(cafe.data().parent().expect("the data folder is in a folder"));
    command
}

/// Places orders and makes some of them, each a step further than the one before; answers with their ids.
fn prepare(cafe: &Cafe) -> Result<Vec<String>> {
    const STEPS: [&str; 3] = ["start", "ready", "pick-up"];
    let (port, key) = (cafe.port(Service::Barista), cafe.staff_key());
    let mut ids = Vec::new();
    for n in 0..ORDERS {
        let placed = http::post(cafe.port(Service::Order), "/orders", None, ORDER)?.json();
        let id = placed["id"].as_str().context("an order without an id")?.to_owned();
        let is_queued = || {
            let ticket = http::get(port, &format!("/tickets/{id}"), Some(&key)).ok()?;
            (ticket.status == 200).then_some(())
        };
        wait_until(MOMENT, "a ticket is queued", is_queued);
        for step in &STEPS[..n % (STEPS.len() + 1)] {
            let done = http::post(port, &format!("/tickets/{id}/{step}"), Some(&key), "")?;
            ensure!(done.status == 200, "POST /tickets/{id}/{step}: {} {}", done.status, done.body);
        }
        ids.push(id);
    }
    Ok(ids)
}

const ORDER: &str = r#"{"items":[{"menu":"espresso"},{"menu":"latte","quantity":2}],"payment":{"vendor":"simulator","token":"tok_ok"}}"#;

/// Schemathesis' settings: where an order's id is wanted, mostly one of these.
fn known(ids: &[String]) -> String {
    format!(
        r#"
[dictionaries.orders]
values = {ids:?}

[parameters]
"path.order_id" = {{ dictionary = "orders" }}

[[operations]]
include-path-regex = "^/orders/"
parameters = {{ "path.id" = {{ dictionary = "orders" }} }}
"#
    )
}

/// Into an environment of its own, once, at the versions of `schemathesis.txt`.
fn install() -> Result<PathBuf> {
    let venv = shell::target().join("venv");
    let wanted = include_str!("../schemathesis.txt");
    let installed = venv.join("installed.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|versions| versions == wanted) {
        return Ok(venv.join("bin/schemathesis"));
    }
    println!("installing schemathesis, once");
    let made = shell::run(shell::command("python3", ["-m", "venv", "--clear"]).arg(&venv))?;
    ensure!(made, "python3 cannot make a virtual environment: install python3-venv");
    let list = shell::root().join("xtask/schemathesis.txt");
    let mut pip =
        shell::command(venv.join("bin/pip"), ["--quiet", "--disable-pip-version-check", "install", "-r"]);
    ensure!(
        shell::run(pip.arg(list))?,
        "schemathesis cannot be installed; is the Python package index reachable?"
    );
    std::fs::write(installed, wanted)?;
    Ok(venv.join("bin/schemathesis"))
}
