// The pickup board: kept as the service has it, as many numbers as there is room for, and honest about how old its news is.
import { follow, refresher } from "./live.js";
import { stayAwake } from "./board_awake.js";
import { caller } from "./board_calls.js";
import { sounds } from "./board_sound.js";

/** Between two times that the page is asked for; a busy queue changes more often. */
const PAUSE_MS = 100;
/** The page is also asked for without news, so that it shows when the service cannot read its rows. */
const LOOK_EVERY_MS = 10_000;
/** News this old is no news. The stream has a beat each second. */
const OLD_MS = 5_000;
const TICK_MS = 500;

const part = (id) => document.getElementById(id);
const main = document.querySelector("main");
const html = document.documentElement;

// What fits.

/** Shows as many numbers of a region as there is room for, and says how many there are beyond. */
function fit(region) {
  const items = [...region.querySelectorAll("li")];
  items.forEach((item) => { item.hidden = false; });
  const bottom = region.getBoundingClientRect().bottom + 1;
  const room = Math.max(1, items.filter((item) => item.getBoundingClientRect().bottom <= bottom).length);
  const isCalled = (item) => item.classList.contains("called");
  const inTurn = [...items.filter(isCalled), ...items.filter((item) => !isCalled(item))];
  inTurn.slice(room).forEach((item) => { item.hidden = true; });
  const beyond = Number(region.dataset.total) - Math.min(room, items.length);
  const more = part(`${region.id}-more`);
  more.hidden = beyond <= 0;
  more.textContent = more.dataset.text.replace("{n}", beyond);
}

const regions = ["preparing", "ready"].map(part);
const fitAll = () => regions.forEach(fit);

// Who is called.

const sound = sounds((state) => { html.dataset.sound = state; });
const calls = caller({ main, ready: part("ready"), said: part("said"), flash: part("flash"), sound, changed: fitAll });

part("sound").addEventListener("click", sound.toggle);

// News, and how old it is.

const refresh = refresher(() => calls.look());
let heard = 0, shown = 0, isAsking = false, isLive = true;
let confirmed = moment(), reconnected = performance.now();

/** The clock on the wall may be set, and the steady one may stand still while the device sleeps. */
function moment() {
  return { wall_ms: Date.now(), steady_ms: performance.now() };
}

function ageMs() {
  return Math.max(Date.now() - confirmed.wall_ms, performance.now() - confirmed.steady_ms, 0);
}

/** Asks for the page until it shows all that was heard of. */
async function keepUp() {
  heard += 1;
  if (isAsking) {
    return;
  }
  isAsking = true;
  while (shown < heard) {
    const upTo = heard, asked = moment();
    await refresh();
    shown = upTo;
    confirmed = asked;
    tell();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  isAsking = false;
}

function heardOf(name) {
  if (name !== "beat") {
    keepUp();
  } else if (shown === heard) {
    confirmed = moment();
  }
}

function tell() {
  const age_ms = ageMs(), isOld = !isLive || age_ms > OLD_MS;
  part("age").textContent = part("age").dataset.text.replace("{s}", (age_ms / 1_000).toFixed(1));
  alarm(isOld);
  if (isOld && performance.now() - reconnected > OLD_MS) {
    reconnected = performance.now();
    reconnect();
  }
}

function alarm(isOld) {
  if (isOld !== part("alarm").hidden) {
    return;
  }
  html.toggleAttribute("data-old", isOld);
  part("alarm").hidden = !isOld;
  const since = new Date(confirmed.wall_ms).toLocaleTimeString("en-GB");
  for (const line of part("alarm").children) {
    line.textContent = isOld ? line.dataset.text.replace("{t}", since) : "";
  }
}

stayAwake((isKept) => { html.dataset.awake = isKept ? "yes" : "no"; });
html.dataset.fitted = "";
calls.look();
const observer = new ResizeObserver(fitAll);
regions.forEach((region) => observer.observe(region));
const reconnect = follow(main.dataset.news, ["snapshot", "ticket", "beat"], heardOf, (live) => { isLive = live; tell(); });
setInterval(tell, TICK_MS);
setInterval(keepUp, LOOK_EVERY_MS);
