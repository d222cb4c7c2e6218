//! How old what it shows is.

use std::time::{Duration, Instant};

use cafe_browser_tests::{Browser, Counter, Screen, css};
use cafe_failures::{process, tried};
use cafe_system_tests::{Cafe, MOMENT, Service, http};
use rustix::process::Signal;

use crate::ears::{hear, listen};

/// Its news are old after 5 s, on a machine that has other things to do too.
const TOLD: Duration = Duration::from_secs(8);

#[test]
#[ignore = "run by cargo xtask test"]
fn a_board_whose_service_is_gone_says_since_when_and_recovers_by_itself() {
    let mut counter = Counter::open_unwatched();
    let orders = counter.orders(2);
    let board = counter.board(Screen::TV, "?lang=ko");
    listen(&board, &["ko-KR", "en-US"]);
    let others = |cafe: &Cafe| [Service::Order, Service::Payment].map(|service| cafe.pid(service));
    let untouched = others(&counter.cafe);
    tried(&process::BOARD_CUT_OFF);
    counter.cafe.signal(Service::Barista, Signal::KILL);
    let cut_off = Instant::now();
    counter.cafe.wait_for_end_alone(Service::Barista, MOMENT);
    demand_alarm(&board, cut_off);

    counter.cafe.open_alone(Service::Barista);
    counter.cafe.wait_until_serving(Service::Barista);
    // Before the board is back, as likely as not.
    counter.staff(&orders[0], "ready");
    board.see_gone(css("#alarm"));
    board.see_gone(css("[data-old]"));
    hear(&board, &[1]);
    counter.staff(&orders[1], "ready");
    hear(&board, &[1, 2]);
    assert_eq!(others(&counter.cafe), untouched, "the others are the same processes");
    // Each of them is of a connection that could not be made.
    let errors = board.console_errors();
    assert!(
        errors.iter().all(|error| error.contains(&counter.origin()) && error.contains("net::ERR_")),
        "{errors:?}"
    );
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_board_that_hears_nothing_over_a_connection_that_holds_says_so_too() {
    let counter = Counter::open();
    let orders = counter.orders(1);
    let board = counter.board(Screen::TV, "?lang=en");
    assert!(!board.has(css("#alarm")));
    tried(&process::BOARD_CUT_OFF);
    let frozen = counter.cafe.signal(Service::Barista, Signal::STOP);
    demand_alarm(&board, Instant::now());
    counter.cafe.signal(Service::Barista, Signal::CONT);
    board.see_gone(css("#alarm"));
    assert_eq!(counter.cafe.pid(Service::Barista), Some(frozen), "it was not started again");
    counter.staff(&orders[0], "ready");
    board.see(css("#ready .number"));
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_board_works_while_the_other_two_services_are_dead() {
    let mut counter = Counter::open_unwatched();
    let orders = counter.orders(1);
    tried(&process::BOARD_ALONE);
    let barista = counter.cafe.pid(Service::Barista);
    for service in [Service::Order, Service::Payment] {
        counter.cafe.signal(service, Signal::KILL);
        counter.cafe.wait_for_end_alone(service, MOMENT);
    }
    let board = counter.board(Screen::TV, "");
    counter.staff(&orders[0], "ready");
    board.see(css("#ready .called"));
    assert!(!board.has(css("#alarm")));
    assert_eq!(board.console_errors(), [""; 0]);
    for service in [Service::Order, Service::Payment] {
        assert!(http::get(counter.cafe.port(service), "/health/live", None).is_err(), "nobody listens there");
    }
    assert_eq!(counter.cafe.pid(Service::Barista), barista, "the same process");
}

/// It says since when, in both languages, and its numbers do not look as if they were right.
#[track_caller]
fn demand_alarm(board: &Browser, cut_off: Instant) {
    board.see(css("#alarm"));
    assert!(cut_off.elapsed() < TOLD, "after {:?}", cut_off.elapsed());
    let words = board.text(css("#alarm"));
    for part in ["연결 끊김: ", "No connection: this board may be out of date since "] {
        assert!(words.contains(part), "{words}");
    }
    let times: Vec<&str> = words.split_whitespace().filter(|word| word.split(':').count() == 3).collect();
    assert!(times.len() == 2 && times[0] == times[1], "{words}");
    board.see(css("[data-old]"));
    assert_eq!(board.violations(), []);
}
