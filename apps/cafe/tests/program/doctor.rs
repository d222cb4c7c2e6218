//! `cafe doctor` has a line for everything, and an exit code.

use std::fs::File;
use std::os::unix::fs::FileExt;

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
