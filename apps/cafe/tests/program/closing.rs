//! Ctrl-C stops everything in order and leaves nothing behind.

use rustix::process::Signal;

use crate::support::{Cafe, SERVICES, is_alive};

#[test]
fn ctrl_c_and_sigterm_leave_no_process_behind_and_end_in_order() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut cafe = Cafe::open(&[]);
        let pids: Vec<u32> = cafe.pids().into_iter().flatten().collect();
        assert!(cafe.close_with(signal).success(), "exit code 0");
        assert!(pids.iter().all(|pid| !is_alive(*pid)));
        assert!(!cafe.data().join("run/order.pid").exists());
        let log = cafe.log();
        let ends = SERVICES.map(|service| log.find(&format!("the {service} service has ended")).unwrap());
        assert!(ends.is_sorted(), "first the one that takes orders: {log}");
    }
}

#[test]
fn ctrl_c_while_it_starts_leaves_no_process_behind() {
    let mut cafe = Cafe::closed();
    let mut up = cafe.command(&["up"]).spawn().unwrap();
    crate::support::wait_for("the first service is there", || cafe.pid("order"));
    crate::support::send(up.id(), Signal::INT);
    let status = crate::support::wait_for("`cafe up` ends", || up.try_wait().unwrap());
    assert!(status.success());
    assert_eq!(cafe.pids(), [None; 3]);
    cafe.open_with(&[]);
    cafe.close();
}

#[test]
fn an_order_that_was_answered_is_there_after_ctrl_c_and_a_new_start() {
    let mut cafe = Cafe::open(&[]);
    let id = cafe.order();
    cafe.close();
    cafe.open_with(&[]);
    let (status, _) = cafe.get("order", &format!("/orders/{id}"), Some(&cafe.staff_key())).unwrap();
    assert_eq!(status, 200);
}
