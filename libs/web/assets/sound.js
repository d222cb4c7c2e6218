// What can be heard: a chime, and words by the browser's voices. A browser is silent until somebody has touched the page, so whether
// sound is on is what the audio itself says, not what was chosen.
import { CHIME_MS, chime } from "./chime.js";
import { keep, kept } from "./kept.js";

/** A voice that takes longer has failed; browsers do not always say so. */
const SPEECH_LIMIT_MS = 15_000;

/**
 * The sound of a screen, whose choice is remembered under `name`. `changed(state)` is called with `on`, `off` if that was chosen, and
 * `waiting` if only a touch is missing.
 */
export function sounds(name, changed) {
  let context, choice = kept(name);
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
    keep(name, choice);
    if (choice === "on") {
      start();
      // Some browsers let a page speak only once it has spoken in a touch.
      globalThis.speechSynthesis?.speak(new SpeechSynthesisUtterance(" "));
    } else {
      globalThis.speechSynthesis?.cancel();
    }
    tell();
  }

  async function ring() {
    if (isOn()) {
      chime(context);
      await new Promise((resolve) => setTimeout(resolve, CHIME_MS));
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
  return { isOn, toggle, chime: ring, speak, speaks: (language) => Boolean(voiceOf(language)) };
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
