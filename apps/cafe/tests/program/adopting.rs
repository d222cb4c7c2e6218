//! If `up` itself is killed the services go on, and the next `up` adopts them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use cafe_failures::{process, tried};
use rustix::process::Signal;

use crate::support::{Cafe, PROGRAM, SERVICES, is_alive, send, wait_for};

const LEFT_ALONE: &str =
    "the terminal was closed: the services go on, watched over by nobody; the next `cafe up` takes them over";

#[test]
fn services_go_on_without_up_and_the_next_up_adopts_them() {
    tried(&process::UP_KILLED);
    let mut cafe = Cafe::open(&[]);
    let before = cafe.pids();
    cafe.kill_up();
    assert!(SERVICES.into_iter().all(|service| cafe.serves(service)));

    cafe.open_with(&[]);
    assert_eq!(cafe.pids(), before, "the same processes");

    let adopted = cafe.pid("order").unwrap();
    send(adopted, Signal::KILL);
    wait_for("an adopted one is watched too", || {
        cafe.pid("order").filter(|pid| *pid != adopted && cafe.serves("order"))
    });

    cafe.close();
    assert!(before.into_iter().flatten().all(|pid| !is_alive(pid)), "the adopted end with it");
    assert_eq!(cafe.pids(), [None; 3]);
}

#[test]
fn a_terminal_that_is_closed_leaves_the_cafe_open_and_the_next_up_adopts_it() {
    tried(&process::TERMINAL_CLOSED);
    let mut cafe = Cafe::open(&[]);
    let before = cafe.pids();
    assert!(cafe.close_with(Signal::HUP).success());
    assert_eq!(cafe.log().matches(LEFT_ALONE).count(), 1, "{}", cafe.log());
    assert!(SERVICES.into_iter().all(|service| cafe.serves(service)));

    cafe.open_with(&[]);
    assert_eq!(cafe.pids(), before, "the same processes");
}

#[test]
fn under_nohup_a_terminal_that_is_closed_changes_nothing() {
    tried(&process::TERMINAL_CLOSED);
    let mut cafe = Cafe::closed();
    let up = cafe.command(&["up"]);
    let mut nohup = Command::new("sh");
    let arguments = up.get_args().skip_while(|argument| *argument != PROGRAM);
    nohup.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).args(arguments);
    cafe.watch(nohup.current_dir(cafe.path("")).spawn().unwrap());
    send(cafe.up_pid(), Signal::HUP);
    let order = cafe.pid("order").unwrap();
    send(order, Signal::KILL);
    wait_for("order is watched over", || {
        cafe.pid("order").filter(|pid| *pid != order && cafe.serves("order"))
    });
}

#[test]
fn a_service_that_would_be_started_otherwise_now_is_replaced() {
    let mut cafe = Cafe::open(&[]);
    let [order, payment, barista] = cafe.pids();
    cafe.kill_up();

    cafe.open_with(&["--robot"]);
    assert_eq!((cafe.pid("order"), cafe.pid("payment")), (order, payment));
    assert_ne!(cafe.pid("barista"), barista, "only the barista service minds the robot");
    assert!(!is_alive(barista.unwrap()));
}

#[test]
fn what_died_while_nobody_watched_is_started() {
    tried(&process::UP_KILLED);
    let mut cafe = Cafe::open(&[]);
    cafe.kill_up();
    let [order, payment, barista] = cafe.pids();
    send(payment.unwrap(), Signal::KILL);
    wait_for("it is gone", || cafe.pid("payment").is_none().then_some(()));

    cafe.open_with(&[]);
    assert_eq!((cafe.pid("order"), cafe.pid("barista")), (order, barista));
    assert_ne!(cafe.pid("payment"), payment);
}

#[test]
fn a_folder_whose_name_is_not_utf_8_is_a_folder_like_any_other() {
    let cafe = Cafe::closed();
    let data = cafe.path("").join(OsStr::from_bytes(b"caf\xe9"));
    let mut order = cafe.bare_command(&["order"]);
    let mut order = order
        .arg("--data")
        .arg(&data)
        .arg("--order-port")
        .arg(cafe.port("order").to_string())
        .spawn()
        .unwrap();
    cafe.wait_until_serving("order");
    send(order.id(), Signal::TERM);
    assert!(order.wait().unwrap().success());
    assert!(data.join("order.sqlite").exists());
}
