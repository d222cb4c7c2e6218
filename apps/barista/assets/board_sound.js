// What can be heard: a chime of our own notes, and words by the browser's voices. A browser is silent until somebody has touched
// the page, so whether sound is on is what the audio itself says, not what was chosen.

/** Rising thirds: Hz, and seconds from the beginning. */
const NOTES = [[523.25, 0], [659.25, .2], [783.99, .4]];
const NOTE_S = 1.2;
const LOUDNESS = .35;
const CHIME_MS = 1_500;
/** A voice that takes longer has failed; browsers do not always say so. */
const SPEECH_LIMIT_MS = 15_000;
const CHOICE = "board-sound";

/** `changed(state)` is called with `on`, `off` if that was chosen, and `waiting` if only a touch is missing. */
export function sounds(changed) {
  let context, choice = remembered();
  const isOn = () => choice !== "off" && context?.state === "running";
  const tell = () => changed(isOn() ? "on" : choice === "off" ? "off" : "waiting");

  function start() {
    if (!context) {
      context = new AudioContext();
      context.onstatechange = tell;
    }
    context.resume().then(tell, tell);
  }

  function toggle() {
    choice = isOn() ? "off" : "on";
    remember(choice);
    if (choice === "on") {
      start();
      // Some browsers let a page speak only once it has spoken in a touch.
      globalThis.speechSynthesis?.speak(new SpeechSynthesisUtterance(" "));
    } else {
      globalThis.speechSynthesis?.cancel();
    }
    tell();
  }

  async function chime() {
    if (isOn()) {
      NOTES.forEach(([frequency_hz, from_s]) => play(context, frequency_hz, context.currentTime + from_s));
      await pause(CHIME_MS);
    }
  }

  async function speak(words, language) {
    const voice = isOn() && voiceOf(language);
    if (voice) {
      await spoken(words, voice);
    }
  }

  if (choice === "on") {
    // A browser set up for screens that nobody touches lets it be heard at once; any other, at the first touch.
    start();
    const touched = () => choice === "on" && !isOn() && start();
    addEventListener("click", touched);
    addEventListener("keydown", touched);
  }
  tell();
  return { isOn, toggle, chime, speak, speaks: (language) => Boolean(voiceOf(language)) };
}

function play(context, frequency_hz, from_s) {
  const tone = context.createOscillator(), loudness = context.createGain();
  tone.frequency.value = frequency_hz;
  loudness.gain.setValueAtTime(0, from_s);
  loudness.gain.linearRampToValueAtTime(LOUDNESS, from_s + .02);
  loudness.gain.exponentialRampToValueAtTime(.001, from_s + NOTE_S);
  tone.connect(loudness).connect(context.destination);
  tone.start(from_s);
  tone.stop(from_s + NOTE_S);
}

/** A voice of the device itself goes on speaking when the line to the world is down. */
function voiceOf(language) {
  const voices = globalThis.speechSynthesis?.getVoices() ?? [];
  const fitting = voices.filter((voice) => voice.lang.toLowerCase().split(/[-_]/)[0] === language);
  return fitting.find((voice) => voice.localService) ?? fitting[0];
}

function spoken(words, voice) {
  return new Promise((resolve) => {
    const utterance = new SpeechSynthesisUtterance(words);
    utterance.voice = voice;
    utterance.lang = voice.lang;
    const limit = setTimeout(() => { speechSynthesis.cancel(); resolve(); }, SPEECH_LIMIT_MS);
    utterance.onend = utterance.onerror = () => { clearTimeout(limit); resolve(); };
    speechSynthesis.speak(utterance);
  });
}

/** A browser may forbid a page to remember anything. */
function remembered() {
  try {
    return localStorage.getItem(CHOICE);
  } catch {
    return null;
  }
}

function remember(choice) {
  try {
    localStorage.setItem(CHOICE, choice);
  } catch {
    // It is asked again after the next start.
  }
}

function pause(time_ms) {
  return new Promise((resolve) => setTimeout(resolve, time_ms));
}
