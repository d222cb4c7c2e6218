//! Who is called, and when.

use cafe_browser_tests::{Counter, Screen, button, css};

use crate::ears::{calls, hear, heard, listen};

#[test]
#[ignore = "run by cargo xtask test"]
fn what_becomes_ready_is_called_once_one_after_the_other_in_korean_and_english() {
    let counter = Counter::open();
    let orders = counter.orders(4);
    counter.staff(&orders[0], "ready");
    let board = counter.board(Screen::TV, "?lang=ko");
    assert!(!board.has(css("#ready .called")), "what was ready before is not called");
    listen(&board, &["en-US", "ko-KR"]);
    counter.staff(&orders[1], "start");
    counter.staff(&orders[2], "ready");
    counter.staff(&orders[1], "ready");
    board.see(css("#ready .called").nth(0));
    hear(&board, &[3, 2]);
    // The page is put in place anew, and nobody is called again.
    counter.staff(&orders[0], "pick-up");
    counter.staff(&orders[3], "ready");
    hear(&board, &[3, 2, 4]);
    assert_eq!(board.texts(css("#ready .number")), ["0004", "0002", "0003"]);
    board.see_gone(css("#ready .called"));
    assert_eq!(heard(&board), calls(&[3, 2, 4]));
    assert_eq!(board.console_errors(), [""; 0]);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn an_order_that_is_taken_back_before_its_turn_is_not_called_until_it_is_ready_again() {
    let counter = Counter::open();
    let orders = counter.orders(2);
    let board = counter.board(Screen::TV, "?lang=ko");
    listen(&board, &["ko-KR", "en-US"]);
    counter.staff(&orders[0], "ready");
    counter.staff(&orders[1], "ready");
    board.wait_for("both are ready", |board| board.count(css("#ready .number")) == 2);
    // The first is being called meanwhile.
    counter.staff(&orders[1], "recall");
    board.wait_for("one was taken back", |board| {
        (board.count(css("#ready .number")), board.count(css("#preparing .number"))) == (1, 1)
    });
    hear(&board, &[1]);
    counter.staff(&orders[1], "ready");
    hear(&board, &[1, 2]);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn without_a_korean_voice_there_is_a_chime_a_flash_and_english() {
    let counter = Counter::open();
    let orders = counter.orders(1);
    let board = counter.board(Screen::TV, "?lang=ko");
    board.prefer("prefers-reduced-motion", "reduce");
    listen(&board, &["en-GB"]);
    counter.staff(&orders[0], "ready");
    board.see(css("#flash"));
    let animation = "return getComputedStyle(document.getElementById('flash')).animationName";
    assert_eq!(board.run(animation, &[]), "none", "nothing moves where that is preferred");
    let english = [&calls(&[1])[..1], &calls(&[1])[3..]].concat();
    board.wait_for("it is called", |board| heard(board).len() >= english.len());
    assert_eq!(heard(&board), english);
    board.see_gone(css("#flash"));
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_muted_board_says_so_and_shows_what_it_does_not_say() {
    let counter = Counter::open();
    let orders = counter.orders(2);
    let board = counter.board(Screen::TV, "?lang=ko");
    board.see("소리 꺼짐");
    listen(&board, &["ko-KR"]);
    board.click(button("소리 끄기"));
    board.see("소리 꺼짐");
    counter.staff(&orders[0], "ready");
    board.see(css("#ready .called"));
    board.see(css("#flash"));
    board.see_gone(css("#flash"));
    assert_eq!(heard(&board), [""; 0]);
    // What was chosen is remembered; whoever had chosen sound is asked for a touch, as the browser wants one.
    board.reload();
    board.see(css("html[data-sound=off]"));
    board.click(button("누르세요"));
    board.see("소리 켜짐");
}
