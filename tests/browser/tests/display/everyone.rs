//! Whether everybody can use it, in every state.

use cafe_browser_tests::{Browser, Counter, Screen, button, css};

/// As a page weighs at most, with all that it loads.
const WEIGHT_LIMIT_BYTES: u64 = 100_000;

const DRINKS: &str =
    r#"[{"menu":"latte","size":"large","quantity":2,"takeout":true},{"menu":"americano"},{"menu":"mocha"}]"#;

#[test]
#[ignore = "run by cargo xtask test"]
fn everybody_can_use_it_in_every_state_in_both_languages() {
    for (language, done, reject, recall, close) in [
        ("ko", "완료, 0001", "못 만듦, 0002", "다시 만들기, 0001", "닫기"),
        ("en", "Done, 0001", "Cannot make, 0002", "Make again, 0001", "Close"),
    ] {
        let counter = Counter::open();
        for (screen, name) in [(Screen::TABLET, "tablet"), (Screen::PHONE, "phone")] {
            let door = Browser::open(screen);
            door.goto(&format!("{}/?lang={language}", counter.origin()));
            door.demand_usable(&format!("{name}: door"));
        }
        let tablet = counter.display(Screen::TABLET, language);
        tablet.see(css("#empty"));
        tablet.demand_usable("empty");
        for _ in 0..3 {
            counter.order(DRINKS);
        }
        tablet.see(button(done));
        tablet.click(css("#tickets .ticket:nth-child(2) li:first-child button"));
        tablet.click(button(done));
        tablet.see(button("0001"));
        tablet.see(css("#undo"));
        tablet.demand_usable("making, ready, undo");
        let weight = tablet.weight();
        assert!((10_000..WEIGHT_LIMIT_BYTES).contains(&weight), "{weight} bytes");
        tablet.click(button(reject));
        tablet.demand_usable("rejecting");
        tablet.click(button(close));
        tablet.click(button(recall));
        tablet.demand_usable("recalling");
        tablet.click(button(close));
        let phone = counter.display(Screen::PHONE, language);
        phone.see(button("0002"));
        phone.demand_usable("phone");
        assert_eq!(phone.foreign_requests(&[&counter.origin()]), [""; 0]);
        assert_eq!(tablet.console_errors(), [""; 0]);
    }
}
