//! Whether its screen stays on.

use cafe_browser_tests::{Browser, Screen, css};
use cafe_rig::own_addresses;
use cafe_system_tests::Service;

use crate::counter::Counter;

#[test]
#[ignore = "run by cargo xtask test"]
fn a_board_keeps_its_screen_on_where_a_browser_lets_it_and_says_so_where_it_does_not() {
    let counter = Counter::open_with(&["--listen", "0.0.0.0"]);
    let board = counter.board(Screen::TV, "?lang=en");
    board.see(css("html[data-awake=yes]"));
    assert!(!board.has("May go dark"));

    let Some(ip) = own_addresses().into_iter().next() else {
        return println!("the rest is not tried, for this machine is on no network");
    };
    // Without HTTPS, and not by the names that a browser takes for its own machine.
    for (language, says_so) in
        [("en", "May go dark (over HTTPS it stays on)"), ("ko", "화면이 꺼질 수 있습니다")]
    {
        let board = Browser::open(Screen::TV);
        board.goto(&format!("http://{ip}:{}/board?lang={language}", counter.cafe.port(Service::Barista)));
        board.see(css("html[data-awake=no]"));
        board.see(says_so);
        assert_eq!(board.violations(), []);
        assert_eq!(board.console_errors(), [""; 0]);
    }
}
