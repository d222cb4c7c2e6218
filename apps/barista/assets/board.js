// The pickup board: kept as the service has it, as many numbers as there is room for, and honest about how old its news is.
import { follow, refresher } from "./live.js";
import { stayAwake } from "./awake.js";
import { freshness, moment } from "./fresh.js";
import { sounds } from "./sound.js";
import { caller } from "./board_calls.js";

/** Between two times that the page is asked for; a busy queue changes more often. */
const PAUSE_MS = 100;
/** The page is also asked for without news, so that it shows when the service cannot read its rows. */
const LOOK_EVERY_MS = 10_000;

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

const sound = sounds("board-sound", (state) => { html.dataset.sound = state; });
const calls = caller({ main, ready: part("ready"), said: part("said"), flash: part("flash"), sound, changed: fitAll });

part("sound").addEventListener("click", sound.toggle);

// News, and how old it is.

const refresh = refresher(() => calls.look());
const news = freshness({ age: part("age"), alarm: part("alarm"), reconnect: () => reconnect() });
let heard = 0, shown = 0, isAsking = false;

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
    news.confirm(asked);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  isAsking = false;
}

function heardOf(name) {
  if (name !== "beat") {
    keepUp();
  } else if (shown === heard) {
    news.confirm();
  }
}

stayAwake();
html.dataset.fitted = "";
calls.look();
const observer = new ResizeObserver(fitAll);
regions.forEach((region) => observer.observe(region));
const reconnect = follow(main.dataset.news, ["snapshot", "ticket", "beat"], heardOf, news.live);
setInterval(keepUp, LOOK_EVERY_MS);
