// An order as its customer follows it: the page is kept as the service has it, and whoever looks elsewhere is told when it is ready.
import { follow, refresher } from "./live.js";

const order = document.getElementById("order");
/** Two notes of the chime, in hertz, and how long each sounds. */
const NOTES_HZ = [660, 880];
const NOTE_S = 0.25;

let status = order.dataset.status;

function shown() {
  document.title = order.dataset.title;
  if (order.dataset.status === "ready" && status !== "ready") {
    chime();
    navigator.vibrate?.([200, 100, 200]);
  }
  status = order.dataset.status;
}

/** Browsers play it where the page was touched before. */
function chime() {
  const audio = new AudioContext();
  NOTES_HZ.forEach((pitch, place) => {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    const at = audio.currentTime + place * NOTE_S;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.3, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 2 * NOTE_S);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 2 * NOTE_S);
  });
}

follow(order.dataset.events, ["order"], refresher(shown));
