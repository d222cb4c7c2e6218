//! `cafe doctor` has a line for everything, and an exit code.

use std::fs::File;
use std::os::unix::fs::FileExt;

use cafe_failures::{process, tried};
use rustix::process::Signal;

use crate::support::{Cafe, SERVICES, send, words};

#[test]
fn a_healthy_cafe_gets_only_good_lines() {
    let cafe = Cafe::open(&[]);
    let looked = cafe.run(&["doctor"]);
    let said = words(&looked.stdout);
    assert!(looked.status.success(), "{said}");
    assert!(!said.contains("FAIL"), "{said}");
    for service in SERVICES {
        let pid = cafe.pid(service).unwrap();
        assert!(said.contains(&format!("runs as process {pid}")), "{said}");
        assert!(said.contains(&format!("{service}.sqlite is sound")), "{said}");
    }
}

#[test]
fn a_frozen_service_a_damaged_database_and_a_mistyped_variable_are_found() {
    tried(&process::FROZEN_FOR_GOOD);
    let mut cafe = Cafe::open(&[]);
    let frozen = cafe.pid("payment").unwrap();
    send(frozen, Signal::STOP);
    let mut doctor = cafe.command(&["doctor"]);
    let looked = doctor.env("CAFE_ODER_PORT", "3000").output().unwrap();
    let said = words(&looked.stdout);
    assert_eq!(looked.status.code(), Some(1), "{said}");
    assert!(said.contains("WARN  environment") && said.contains("CAFE_ODER_PORT"), "{said}");
    assert!(said.contains("FAIL  payment"), "{said}");
    send(frozen, Signal::CONT);
    cafe.close();

    let database = cafe.data().join("barista.sqlite");
    File::options().write(true).open(&database).unwrap().write_all_at(&[0xFF; 3_000], 4_096).unwrap();
    let looked = cafe.run(&["doctor"]);
    let said = words(&looked.stdout);
    assert_eq!(looked.status.code(), Some(1), "{said}");
    assert!(said.contains("FAIL  barista database"), "{said}");
    assert!(said.contains("OK    order") && said.contains("is free"), "{said}");
}

#[test]
fn where_traces_go_is_told_and_why_they_go_nowhere() {
    let cafe = Cafe::closed();
    let said_with = |set: &[(&str, &str)]| {
        let mut doctor = cafe.command(&["doctor"]);
        words(&doctor.envs(set.iter().copied()).output().unwrap().stdout)
    };
    let set = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
    let said = said_with(&[]);
    assert!(said.contains("OK    traces             not exported"), "{said}");
    let said = said_with(&[set]);
    assert!(said.contains("OK    traces             exported to http://collector:4318/v1/traces"), "{said}");
    let said = said_with(&[set, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    assert!(said.contains("WARN  traces             not exported: OTEL_EXPORTER_OTLP_PROTOCOL"), "{said}");
}
