// An order as its customer follows it: the page is kept as the service has it, and whoever looks elsewhere is told when it is ready.
import { chime } from "./chime.js";
import { follow, refresher } from "./live.js";

const order = document.getElementById("order");

let status = order.dataset.status, audio;

function shown() {
  document.title = order.dataset.title;
  if (order.dataset.status === "ready" && status !== "ready") {
    // Browsers let it be heard where the page was touched before.
    chime(audio ??= new AudioContext());
    navigator.vibrate?.([200, 100, 200]);
  }
  status = order.dataset.status;
}

follow(order.dataset.events, ["order"], refresher(shown));
