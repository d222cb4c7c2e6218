//! Whether its screen stays on.

use cafe_browser_tests::{Browser, Counter, Screen, css};
use cafe_system_tests::Service;

#[test]
#[ignore = "run by cargo xtask test"]
fn a_board_keeps_its_screen_on_where_a_browser_lets_it_and_says_so_where_it_does_not() {
    let counter = Counter::open();
    let board = counter.board(Screen::TV, "?lang=en");
    board.see(css("html[data-awake=yes]"));
    board.see_gone("May go dark (over HTTPS it stays on)");

    // Called by a name, as from another device, and without HTTPS.
    let origin = format!("http://cafe.test:{}", counter.cafe.port(Service::Barista));
    for (language, words) in [
        ("en", "May go dark (over HTTPS it stays on)"),
        ("ko", "화면이 꺼질 수 있습니다 (HTTPS로 열면 켜져 있습니다)"),
    ] {
        for screen in [Screen::TV, Screen::PHONE] {
            let board = Browser::open(screen);
            board.goto(&format!("{origin}/board?lang={language}"));
            board.see(css("html[data-link=live]"));
            board.see(words);
            assert_eq!(board.violations(), []);
            assert_eq!(board.missing_glyphs(), []);
            assert_eq!(board.console_errors(), [""; 0]);
        }
    }
}
