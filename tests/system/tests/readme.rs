//! The README's commands, as they stand there.

use std::process::{Command, Stdio};
use std::time::Duration;

use cafe_system_tests::{Cafe, wait_until};

/// A cold build of the program, on a slow machine.
const BUILT: Duration = Duration::from_mins(15);
/// Two drinks by the menu's times, and some.
const PICKED_UP: Duration = Duration::from_mins(1);

#[test]
#[ignore = "run by cargo xtask test"]
fn a_first_order_by_the_readme_is_followed_until_it_is_picked_up() {
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).expect("there is a README");
    let blocks = shell_blocks(&readme);
    let [up, test, first_order] = &blocks[..] else { panic!("three blocks of commands, not {blocks:#?}") };
    assert_eq!(test.trim(), "cargo xtask test", "the test command, which is what runs this");

    let cafe = Cafe::opened_by(shell(up));
    wait_until(BUILT, "the cafe of the README opens", || cafe.is_open().then_some(()));

    let mut customer =
        shell(first_order).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("bash starts");
    wait_until(PICKED_UP, "the README's order is picked up", || customer.try_wait().ok().flatten());
    let seen = customer.wait_with_output().expect("bash has ended");
    let seen = format!("{}{}", String::from_utf8_lossy(&seen.stdout), String::from_utf8_lossy(&seen.stderr));
    assert!(seen.contains(r#""status":"picked_up""#), "the customer saw:\n{seen}");
    cafe.audit();
}

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn shell(commands: &str) -> Command {
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", commands]).current_dir(ROOT).stdin(Stdio::null());
    bash
}

/// What stands between "```sh" and "```".
fn shell_blocks(markdown: &str) -> Vec<&str> {
    markdown.split("```sh\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)).collect()
}
