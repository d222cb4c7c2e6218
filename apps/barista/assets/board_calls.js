// Calls out what became ready, one after the other: a chime, then Korean, then English.

/** So long after it became ready it is called, because staff take a slip back meanwhile. */
const SETTLED_MS = 3_000;
/** So long a number that is called stands out. */
const CALLED_MS = 10_000;
const FLASH_MS = 3_000;
/** Calls that are remembered, so that none is made twice; more than the page ever lists. */
const KNOWN_LIMIT = 2_000;
const LANGUAGES = ["ko", "en"];

/**
 * Watches the list in `ready`. What was in it at the first `look` is not called; what joins it later is, once, unless it left
 * before its turn. `said` tells those who cannot see or hear, `flash` those who cannot hear.
 */
export function caller({ main, ready, said, flash, sound, changed }) {
  const known = new Set(), called = new Set();
  let waiting = [], listed = new Map(), isFirst = true, isCalling = false, flashed;

  function look() {
    const items = [...ready.querySelectorAll("[data-call]")];
    listed = new Map(items.map((item) => [item.dataset.call, item.dataset.spoken]));
    const fresh = [...listed.keys()].filter((call) => !known.has(call));
    fresh.forEach((call) => known.add(call));
    forget();
    // The newest is listed first; whoever was ready first is called first.
    const due = performance.now() + SETTLED_MS;
    const called = fresh.reverse().map((call) => ({ call, due }));
    waiting = isFirst ? [] : [...waiting, ...called].filter(({ call }) => listed.has(call));
    isFirst = false;
    mark();
    callAll();
  }

  async function callAll() {
    if (isCalling) {
      return;
    }
    isCalling = true;
    while (waiting.length > 0) {
      const left_ms = waiting[0].due - performance.now();
      if (left_ms > 0) {
        // What is listed may be another by then.
        await new Promise((resolve) => setTimeout(resolve, left_ms));
      } else {
        await callOne(waiting.shift().call);
      }
    }
    isCalling = false;
  }

  async function callOne(call) {
    standOut(call);
    said.textContent = words(call, document.documentElement.lang);
    if (!sound.isOn() || !sound.speaks("ko")) {
      flashNow();
    }
    await sound.chime();
    for (const language of LANGUAGES) {
      // It may have been recalled, or collected, while the chime was heard.
      if (listed.has(call)) {
        await sound.speak(words(call, language), language);
      }
    }
  }

  function words(call, language) {
    return main.getAttribute(`data-call-${language}`).replace("{n}", listed.get(call));
  }

  function standOut(call) {
    called.add(call);
    mark();
    setTimeout(() => { called.delete(call); mark(); }, CALLED_MS);
  }

  /** The list is the server's, and new after each refresh. */
  function mark() {
    for (const item of ready.querySelectorAll("[data-call]")) {
      item.classList.toggle("called", called.has(item.dataset.call));
    }
    changed();
  }

  function flashNow() {
    flash.hidden = false;
    clearTimeout(flashed);
    flashed = setTimeout(() => { flash.hidden = true; }, FLASH_MS);
  }

  function forget() {
    for (const call of [...known].slice(0, Math.max(0, known.size - KNOWN_LIMIT))) {
      known.delete(call);
    }
  }

  return { look };
}
