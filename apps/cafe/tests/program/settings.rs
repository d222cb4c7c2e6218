//! Flag over environment over file over default; what is wrong is refused by name.

use std::process::Command;

use crate::support::{Cafe, words};

/// `doctor` tells the port that the order service would take.
fn order_port(command: &mut Command) -> String {
    let said = words(&command.output().unwrap().stdout);
    let line = said.lines().find(|line| line.contains(" order ")).unwrap_or_else(|| panic!("{said}"));
    line.split("port ").nth(1).unwrap_or_else(|| panic!("{line}")).split(' ').next().unwrap().to_owned()
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let cafe = Cafe::closed();
    assert_eq!(order_port(&mut cafe.bare_command(&["doctor"])), "3000");
    std::fs::write(cafe.path("cafe.toml"), "order_port = 23001\n").unwrap();
    assert_eq!(order_port(&mut cafe.bare_command(&["doctor"])), "23001");
    assert_eq!(order_port(cafe.bare_command(&["doctor"]).env("CAFE_ORDER_PORT", "23002")), "23002");
    let flags = ["doctor", "--order-port", "23003"];
    assert_eq!(order_port(cafe.bare_command(&flags).env("CAFE_ORDER_PORT", "23002")), "23003");
}

#[test]
fn another_file_is_read_when_it_is_named_and_must_be_there() {
    let cafe = Cafe::closed();
    std::fs::write(cafe.path("other.toml"), "order_port = 23004\n").unwrap();
    assert_eq!(order_port(&mut cafe.bare_command(&["doctor", "--config", "other.toml"])), "23004");
    assert_refused(&mut cafe.bare_command(&["doctor", "--config", "missing.toml"]), &["missing.toml"]);
}

#[test]
fn a_wrong_flag_is_refused_with_what_would_be_right() {
    let cafe = Cafe::closed();
    let wrong = [
        (["--pay-by", "ten"], "10m"),
        (["--pay-by", "0s"], "1s to 24h"),
        (["--order-port", "99999"], "1 to 65535"),
        (["--time-zone", "Mars"], "Asia/Seoul"),
        (["--currency", "won"], "KRW"),
        (["--store", "a b"], "1 to 64"),
        (["--robot-speed", "0"], "above 0"),
        (["--payment-port", "3000"], "a port of its own"),
        (["--menu", "no-such-menu.toml"], "no-such-menu.toml"),
    ];
    for ([flag, value], right) in wrong {
        let name = flag.trim_start_matches("--").replace('-', "_");
        let said = assert_refused(&mut cafe.bare_command(&["up", flag, value]), &[right]);
        assert!(said.contains(flag) || said.contains(&name), "it names {flag}: {said}");
    }
}

#[test]
fn a_wrong_variable_is_refused_by_its_name() {
    let cafe = Cafe::closed();
    let mut command = cafe.bare_command(&["up"]);
    assert_refused(
        command.env("CAFE_BARISTA_PORT", "counter"),
        &["CAFE_BARISTA_PORT", "\"counter\"", "1 to 65535"],
    );
    let wrong = [
        ("CAFE_LOG", "=loud=", "info or debug"),
        ("CAFE_PAY_BY", "10", "10m"),
        ("CAFE_ROBOT", "maybe", "true or false"),
        ("CAFE_ROBOT_SPEED", "fast", "a number such as 10"),
        ("CAFE_ROBOT_BARISTAS", "-1", "a whole number such as 4"),
    ];
    for (name, value, right) in wrong {
        let said = assert_refused(cafe.bare_command(&["up"]).env(name, value), &[name, right]);
        assert!(said.contains(value), "{said}");
    }
}

#[test]
fn a_variable_that_may_be_a_mistyped_setting_is_warned_of_and_the_program_goes_on() {
    let cafe = Cafe::closed();
    let mut command = cafe.bare_command(&["audit"]);
    let output = command.env("CAFE_PAYBY", "5m").env("CAFE_CHAIRS", "40").output().unwrap();
    let said = words(&output.stderr);
    assert!(said.contains("CAFE_PAYBY is not a setting; did you mean CAFE_PAY_BY?"), "{said}");
    assert!(!said.contains("CAFE_CHAIRS"), "{said}");
    assert!(said.contains("cafe: "), "it went on to what it was asked for: {said}");
}

#[test]
fn a_wrong_file_is_refused_by_its_name_line_and_key() {
    let cafe = Cafe::closed();
    let wrong = [
        ("store = \"main\"\nordr_port = 3000\n", ["line 2", "ordr_port", "order_port"]),
        ("pay_by = \"ten\"\n", ["line 1", "pay_by", "10m"]),
        ("order_port = \"x\"\n", ["line 1", "order_port", "1 to 65535"]),
        ("pay_by = 10\n", ["line 1", "pay_by", "15s"]),
        ("robot = \"maybe\"\n", ["line 1", "robot", "true or false"]),
        ("robot_speed = \"fast\"\n", ["line 1", "robot_speed", "a number such as 10"]),
        ("wal_limit_mb = -1\n", ["line 1", "wal_limit_mb", "a whole number such as 4"]),
        ("order_port = true\n", ["line 1", "order_port", "1 to 65535"]),
        ("[menu]\n", ["line 1", "menu", "string"]),
    ];
    for (text, said) in wrong {
        std::fs::write(cafe.path("cafe.toml"), text).unwrap();
        assert_refused(&mut cafe.bare_command(&["up"]), &["cafe.toml"]);
        assert_refused(&mut cafe.bare_command(&["up"]), &said);
    }
}

#[test]
fn a_menu_with_a_mistake_is_refused_with_the_drink() {
    let cafe = Cafe::closed();
    std::fs::write(cafe.path("menu.toml"), "[[drink]]\nmenu = \"air\"\n").unwrap();
    assert_refused(&mut cafe.bare_command(&["up", "--menu", "menu.toml"]), &["menu.toml", "air"]);
}

fn assert_refused(command: &mut Command, because: &[&str]) -> String {
    let output = command.output().unwrap();
    let said = words(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(because.iter().all(|reason| said.contains(reason)), "{because:?}: {said}");
    said
}
