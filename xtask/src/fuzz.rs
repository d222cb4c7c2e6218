//! Schemathesis: requests drawn from each service's own `OpenAPI` document, answers held against it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use cafe_system_tests::{Cafe, Service};

use crate::parts::Outcome;
use crate::shell;

/// A broken answer, an undocumented one, or one of another shape than documented.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// For each operation of each service.
const EXAMPLES: &str = "50";
/// For each service.
const LIMIT_S: &str = "50";

/// Fuzzes the three services of a cafe in which drinks are made, so that tickets are found in every state.
pub(crate) fn run() -> Result<Outcome> {
    let schemathesis = install()?;
    let cafe = Cafe::up(&["--robot"]);
    let (mut passed, mut failed) = (0, 0);
    for service in Service::ALL {
        println!("--- {}", service.name());
        if shell::run(&mut command(&schemathesis, &cafe, service))? {
            passed += 1;
        } else {
            failed += 1;
        }
    }
    Ok(Outcome::Ran { passed, failed })
}

fn command(schemathesis: &PathBuf, cafe: &Cafe, service: Service) -> Command {
    let document = format!("http://127.0.0.1:{}/openapi.json", cafe.port(service));
    let mut command = shell::command(schemathesis, ["run", &document]);
    command.args(["--checks", CHECKS, "--max-examples", EXAMPLES, "--max-time", LIMIT_S]);
    command.args(["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-color"]);
    // Streams of events never end.
    command.args(["--exclude-path-regex", "/events$", "--request-timeout", "10"]);
    command.arg("--header").arg(format!("Authorization: Bearer {}", cafe.staff_key()));
    command.env("HYPOTHESIS_STORAGE_DIRECTORY", shell::target().join("hypothesis"));
    command
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
