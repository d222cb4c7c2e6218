//! What cannot start says so in one sentence, once, and leaves nothing behind.

use std::net::TcpListener;
use std::process::Output;

use cafe_failures::{owner, tried};

use crate::support::{Cafe, SERVICES, words};

#[test]
fn a_second_up_on_the_same_data_is_refused() {
    tried(&owner::STARTED_TWICE);
    let cafe = Cafe::open(&[]);
    let second = cafe.run(&["up"]);
    assert_refused(&second, "already runs on");
    assert!(words(&second.stderr).contains(&cafe.up_pid().to_string()), "it names the process that runs");
    assert!(SERVICES.into_iter().all(|service| cafe.serves(service)));
}

#[test]
fn a_service_that_runs_already_is_refused() {
    tried(&owner::STARTED_TWICE);
    let cafe = Cafe::open(&[]);
    for service in SERVICES {
        assert_refused(&cafe.run(&[service]), &format!("the {service} service already runs on"));
    }
}

#[test]
fn up_leaves_a_service_alone_that_somebody_started_alone() {
    tried(&owner::STARTED_TWICE);
    let cafe = Cafe::closed();
    let mut alone = cafe.command(&["order"]).spawn().unwrap();
    cafe.wait_until_serving("order");
    assert_refused(&cafe.run(&["up"]), "the order service already runs alone");
    assert!(cafe.serves("order") && cafe.pid("payment").is_none());
    alone.kill().unwrap();
    alone.wait().unwrap();
}

#[test]
fn a_port_in_use_is_refused_by_up_and_by_the_service_alone() {
    tried(&owner::PORT_TAKEN);
    for service in SERVICES {
        let cafe = Cafe::closed();
        let _other = TcpListener::bind(("127.0.0.1", cafe.port(service))).unwrap();
        let sentence = format!("port {} is in use", cafe.port(service));
        assert_refused(&cafe.run(&[service]), &sentence);
        assert_refused(&cafe.run(&["up"]), &sentence);
        assert_eq!(cafe.pids(), [None; 3], "the others are ended");
    }
}

#[test]
fn a_port_of_another_cafe_is_refused_though_that_one_answers() {
    tried(&owner::PORT_TAKEN);
    let other = Cafe::open(&[]);
    for service in SERVICES {
        let mut cafe = Cafe::closed();
        let port = other.port(service);
        cafe.take_port(service, port);
        let sentence = format!("the {service} service cannot start: port {port} is in use");
        assert_refused(&cafe.run(&["up"]), &sentence);
        assert_eq!(cafe.pids(), [None; 3], "nothing was started");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    let cafe = Cafe::closed();
    std::fs::write(cafe.data(), "a file where the folder should be").unwrap();
    for command in ["up", "order", "payment", "barista"] {
        assert_refused(&cafe.run(&[command]), "cannot be used");
    }
}

fn assert_refused(output: &Output, because: &str) {
    let said = words(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let sentences: Vec<&str> = said.lines().filter(|line| line.starts_with("cafe: ")).collect();
    assert_eq!(sentences.len(), 1, "one sentence, not {said}");
    assert!(sentences[0].contains(because), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
