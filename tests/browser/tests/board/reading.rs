//! Whether everybody can read it.

use cafe_browser_tests::{Browser, Counter, Screen, button, css};
use serde_json::json;

/// As the page weighs at most, with all that it loads.
const WEIGHT_LIMIT_BYTES: u64 = 100_000;

/// The height of the lowest digit of each number that can be seen, as a part of the screen's.
const DIGITS: &str = "
    const canvas = document.createElement('canvas').getContext('2d');
    const height = (number) => {
      const { fontWeight, fontSize, fontFamily } = getComputedStyle(number);
      canvas.font = `${fontWeight} ${fontSize} ${fontFamily}`;
      const heights = [...number.textContent].map((digit) => {
        const { actualBoundingBoxAscent: up, actualBoundingBoxDescent: down } = canvas.measureText(digit);
        return up + down;
      });
      return Math.min(...heights) / innerHeight;
    };
    const seen = [...document.querySelectorAll('li:not([hidden]) .number')];
    return seen.map(height);";

/// Numbers that are cut off, and for each region how many are shown, how many it says are not, and how many there are.
const FIT: &str = "
    const regions = ['preparing', 'ready'].map((id) => document.getElementById(id));
    const cut = regions.flatMap((region) => [...region.querySelectorAll('li:not([hidden])')].filter((item) => {
      const { top, bottom, left, right } = item.getBoundingClientRect(), around = region.getBoundingClientRect();
      return top < around.top - 1 || bottom > around.bottom + 1 || left < -1 || right > innerWidth + 1;
    }));
    const counts = regions.map((region) => [
      region.querySelectorAll('li:not([hidden])').length,
      Number(document.getElementById(`${region.id}-more`).textContent.match(/[0-9]+/)?.[0] ?? 0),
      Number(region.dataset.total),
    ]);
    return { cut: cut.map((item) => item.textContent), counts };";

#[test]
#[ignore = "run by cargo xtask test"]
fn digits_are_a_tenth_of_the_screen_none_is_cut_and_the_rest_is_counted() {
    let counter = Counter::open();
    let orders = counter.orders(40);
    orders[..20].iter().for_each(|order| _ = counter.staff(order, "ready"));
    for screen in [Screen::TV, Screen::TABLET, Screen::PHONE, Screen::KIOSK] {
        for language in ["ko", "en"] {
            let board = counter.board(screen, &format!("?lang={language}"));
            let digits = board.run(DIGITS, &[]);
            let digits: Vec<f64> =
                digits.as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).collect();
            assert!(
                digits.len() >= 2 && digits.iter().all(|height| *height >= 0.1),
                "{screen:?}: {digits:?}"
            );
            let fit = board.run(FIT, &[]);
            assert_eq!(fit["cut"], json!([]), "{screen:?}");
            for region in fit["counts"].as_array().into_iter().flatten() {
                let count = |at: usize| region[at].as_u64().unwrap_or_default();
                assert!(count(0) > 0 && count(0) + count(1) == 20 && count(2) == 20, "{screen:?}: {fit}");
            }
        }
    }
}

#[test]
#[ignore = "run by cargo xtask test"]
fn everybody_can_use_it_whether_it_is_empty_full_or_calling_in_both_languages() {
    let counter = Counter::open();
    let orders = counter.orders(30);
    let words = [("ko", "누르세요", "소리 켜짐"), ("en", "Touch to switch sound on", "Sound on")];
    for (at, (language, switch_on, is_on)) in words.into_iter().enumerate() {
        for scheme in ["light", "dark"] {
            let empty = counter.board(Screen::TV, &format!("?lang={language}&store=empty"));
            empty.prefer("prefers-color-scheme", scheme);
            demand_usable(&empty, &counter);
        }
        let full = counter.board(Screen::TV, &format!("?lang={language}"));
        demand_usable(&full, &counter);
        full.click(button(switch_on));
        full.see(is_on);
        counter.staff(&orders[at], "ready");
        full.see(css("#ready .called"));
        demand_usable(&full, &counter);
        let phone = counter.board(Screen::PHONE, &format!("?lang={language}"));
        demand_usable(&phone, &counter);
        assert_eq!(phone.sizes_below("button, a", 24.0), []);
    }
}

#[track_caller]
fn demand_usable(board: &Browser, counter: &Counter) {
    assert_eq!(board.violations(), []);
    assert_eq!(board.missing_glyphs(), []);
    assert_eq!(board.console_errors(), [""; 0]);
    assert_eq!(board.foreign_requests(&[&counter.origin()]), [""; 0]);
    let weight = board.weight();
    assert!((10_000..WEIGHT_LIMIT_BYTES).contains(&weight), "{weight} bytes");
    println!("{weight} bytes");
}
