// A chime of our own notes.

/** Rising thirds: Hz, and seconds from the beginning. */
const NOTES = [[523.25, 0], [659.25, .2], [783.99, .4]];
const NOTE_S = 1.2;
const LOUDNESS = .35;
/** All of it, with its echo. */
export const CHIME_MS = 1_500;

/** Plays it on an `AudioContext`, which is silent until its page was touched. */
export function chime(context) {
  for (const [frequency_hz, after_s] of NOTES) {
    const from_s = context.currentTime + after_s;
    const tone = context.createOscillator(), loudness = context.createGain();
    tone.frequency.value = frequency_hz;
    loudness.gain.setValueAtTime(0, from_s);
    loudness.gain.linearRampToValueAtTime(LOUDNESS, from_s + .02);
    loudness.gain.exponentialRampToValueAtTime(.001, from_s + NOTE_S);
    tone.connect(loudness).connect(context.destination);
    tone.start(from_s);
    tone.stop(from_s + NOTE_S);
  }
}
