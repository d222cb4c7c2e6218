//! What is heard of a board: its chimes, and what its voices say.

use cafe_browser_tests::{Browser, button};
use serde_json::json;

/// Replaces the voices of a page's browser, which may have none, by some that take a while, and listens.
const LISTEN: &str = "
    window.heard = [];
    const voices = arguments[0].map((lang) => ({ lang, localService: true }));
    window.SpeechSynthesisUtterance = class { constructor(words) { this.words = words; } };
    const speak = (utterance) => {
      if (utterance.words.trim() === '') { return; }
      heard.push(utterance.words);
      setTimeout(() => { heard.push('.'); utterance.onend(); }, arguments[1]);
    };
    const synthesis = { getVoices: () => voices, cancel() {}, speak };
    Object.defineProperty(window, 'speechSynthesis', { value: synthesis });
    AudioContext.prototype.createOscillator = new Proxy(AudioContext.prototype.createOscillator, {
      apply(create, context, given) {
        if (heard.at(-1) !== 'chime') { heard.push('chime'); }
        return Reflect.apply(create, context, given);
      },
    });";

/// Each language's words take this long.
const WORDS_MS: u32 = 200;

/// Listens to a board with voices of these languages, once its sound is on.
pub(crate) fn listen(board: &Browser, voices: &[&str]) {
    board.run(LISTEN, &[json!(voices), json!(WORDS_MS)]);
    board.click(button("누르세요"));
    board.see("소리 켜짐");
}

/// What was heard so far: `chime`, words, and `.` where a voice has come to an end.
pub(crate) fn heard(board: &Browser) -> Vec<String> {
    let heard = board.run("return heard", &[]);
    heard.as_array().into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

/// What is heard when these numbers are called, one after the other.
pub(crate) fn calls(numbers: &[u32]) -> Vec<String> {
    let call = |number: &u32| {
        let korean = format!("{number}번 고객님, 주문하신 음료가 나왔습니다");
        let english = format!("Order {number} is ready");
        ["chime".to_owned(), korean, ".".to_owned(), english, ".".to_owned()]
    };
    numbers.iter().flat_map(call).collect()
}

/// Waits until just these numbers have been called.
#[track_caller]
pub(crate) fn hear(board: &Browser, numbers: &[u32]) {
    let expected = calls(numbers);
    board.wait_for(&format!("{numbers:?} are called"), |board| heard(board).len() >= expected.len());
    assert_eq!(heard(board), expected);
}
