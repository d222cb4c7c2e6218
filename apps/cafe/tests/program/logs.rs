//! Logs name the service, keep secrets, and never stop anybody.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use cafe_failures::{process, tried};
use serde_json::Value;

use crate::support::{Cafe, SERVICES};

#[test]
fn a_line_is_json_with_the_service_when_nobody_looks_at_a_terminal() {
    let mut cafe = Cafe::open(&[]);
    cafe.order();
    cafe.close();
    let log = cafe.log();
    let lines: Vec<Value> = log
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for service in SERVICES {
        assert!(lines.iter().any(|line| line["service"] == service), "{service} says something: {log}");
    }
    assert!(lines.iter().all(|line| line["at"].is_string() && line["message"].is_string()), "{log}");
    assert!(!log.contains(&cafe.staff_key()), "never the key");
}

#[test]
fn what_to_do_first_is_printed_and_works_as_it_stands() {
    let cafe = Cafe::open(&[]);
    let log = cafe.log();
    let order = log.lines().find(|line| line.trim_start().starts_with("-d '")).unwrap();
    let wish = order.trim().trim_start_matches("-d '").trim_end_matches('\'');
    assert!(serde_json::from_str::<Value>(wish).unwrap()["items"].is_array());
    for service in SERVICES {
        assert!(log.contains(&format!("http://127.0.0.1:{}", cafe.port(service))), "{log}");
    }
}

#[test]
fn services_go_on_when_whoever_read_their_output_is_gone() {
    tried(&process::OUTPUT_UNREAD);
    let mut cafe = Cafe::closed();
    let mut up = cafe.command(&["up"]);
    // Every request is logged at this level, so that every service meets the broken pipe.
    up.env("CAFE_LOG", "trace").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut up = up.spawn().unwrap();
    let (output, errors) = (up.stdout.take().unwrap(), up.stderr.take().unwrap());
    let drain = std::thread::spawn(move || {
        let mut lines = BufReader::new(output).lines();
        lines.find(|line| line.as_ref().unwrap().contains("Ctrl-C"));
        drop(errors);
    });
    cafe.watch(up);
    drain.join().unwrap();
    cafe.kill_up();

    let before = cafe.pids();
    for _ in 0..20 {
        cafe.order();
        assert!(SERVICES.into_iter().all(|service| cafe.serves(service)));
    }
    assert_eq!(cafe.pids(), before);
}

#[test]
fn services_go_on_when_whoever_reads_their_output_stands_still() {
    tried(&process::OUTPUT_UNREAD);
    let mut cafe = Cafe::closed();
    let mut up = cafe.command(&["up"]);
    up.env("CAFE_LOG", "trace").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut up = up.spawn().unwrap();
    let _unread = up.stderr.take().unwrap();
    cafe.watch(up);
    // A pipe holds 64 KiB; at this level the answers to so many requests log more.
    for _ in 0..300 {
        cafe.order();
    }
    assert!(SERVICES.into_iter().all(|service| cafe.serves(service)));
}
