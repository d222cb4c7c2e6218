// The barista's display: what is to be made, first in first out, as the service has it.
import { follow } from "./live.js";
import { stayAwake } from "./awake.js";
import { freshness } from "./fresh.js";
import { sounds } from "./sound.js";
import { cards } from "./display_cards.js";
import { acts } from "./display_acts.js";

/** Tickets that were handed over and can still be called back from here. */
const COLLECTED_LIMIT = 20;
/** How often ages are told anew. */
const TICK_MS = 1_000;
/** Tickets that the keys 1 to 9 finish. */
const KEYS = 9;

const part = (id) => document.getElementById(id);
const html = document.documentElement, main = document.querySelector("main");
const words = JSON.parse(main.dataset.words);
/** What to add to this device's clock to have the service's. */
const behind_ms = Number(main.dataset.now) - Date.now();

// What the service said of each ticket last, by its order.

const tickets = new Map();
let isKnown = false, beyond = false;

const isOpen = ({ status }) => status === "queued" || status === "making" || status === "ready";
const inLine = (one, other) => one.sequence - other.sequence;
const lists = {
  toMake: () => [...tickets.values()].filter(({ status }) => status === "queued" || status === "making").sort(inLine),
  ready: () => [...tickets.values()].filter(({ status }) => status === "ready").sort((one, other) => one.ready_at < other.ready_at ? -1 : 1),
  collected: () => [...tickets.values()].filter(({ status }) => status === "picked_up").reverse().slice(0, COLLECTED_LIMIT),
};

/** Of two views of a ticket the one with the higher version is newer, whichever way it came. */
function take(ticket) {
  const known = tickets.get(ticket.order_id);
  if (known && known.version >= ticket.version) {
    return;
  }
  const isNew = !known && ticket.status === "queued";
  if (known && known.status !== ticket.status) {
    // What changed last is last: so the oldest of those that left are forgotten first.
    tickets.delete(ticket.order_id);
  }
  tickets.set(ticket.order_id, ticket);
  if (isNew && isKnown) {
    sound.chime();
  }
}

function takeAll({ tickets: open, more }) {
  const listed = new Set(open.map(({ order_id }) => order_id));
  for (const [order_id, ticket] of tickets) {
    // What was open and is not any more was closed while nothing was heard.
    if (isOpen(ticket) && !listed.has(order_id)) {
      tickets.delete(order_id);
    }
  }
  open.forEach(take);
  isKnown = true;
  beyond = more;
}

function forget() {
  const closed = [...tickets.values()].filter((ticket) => !isOpen(ticket));
  closed.slice(0, Math.max(0, closed.length - 2 * COLLECTED_LIMIT)).forEach(({ order_id }) => tickets.delete(order_id));
}

// What is shown.

const sound = sounds("display-sound", (state) => { html.dataset.sound = state; });
const staff = acts({
  words,
  told: part("told"),
  undo: part("undo"),
  left: part("undo-left"),
  take(ticket) { take(ticket); show(); },
  show: () => show(),
});
/** The newest business day of those that are shown. */
let today = "";
const shown = cards({ words, behind_ms, staff, today: () => today });

let isDrawing = false;
function show() {
  if (!isDrawing) {
    isDrawing = true;
    requestAnimationFrame(() => { isDrawing = false; draw(); });
  }
}

function draw() {
  forget();
  const toMake = lists.toMake(), ready = lists.ready();
  today = [...toMake, ...ready].reduce((newest, { day }) => day > newest ? day : newest, "");
  // As many at a time as can be drawn without holding up whoever touches.
  const isDone = shown.toMake(toMake) & shown.ready(ready, staff.leaving) & shown.collected(lists.collected());
  part("count").textContent = toMake.length || "";
  part("ready-count").textContent = ready.length || "";
  part("more").hidden = !beyond;
  part("more").textContent = words.more.replace("{n}", "");
  tellNothing(toMake.length);
  if (isDone) {
    shown.drinks(toMake);
  } else {
    show();
  }
}

/** Nothing is only said to be there by who knows. */
function tellNothing(count) {
  const isBlind = !isKnown || news.isOld();
  part("empty").textContent = isBlind ? words.unknown : words.nothing;
  part("empty").hidden = count > 0;
}

// What is heard.

function heardOf(name, data) {
  if (name === "snapshot") {
    takeAll(JSON.parse(data));
  } else if (name === "ticket") {
    take(JSON.parse(data));
  }
  news.confirm();
  if (name !== "beat") {
    show();
  }
}

const news = freshness({ age: part("age"), alarm: part("alarm"), reconnect: () => reconnect() });
const reconnect = follow(main.dataset.news, ["snapshot", "ticket", "beat"], heardOf, news.live);
stayAwake();
setInterval(() => { shown.ages(); tellNothing(lists.toMake().length); }, TICK_MS);

// What staff do beside touching cards: keys, such as those of a bump bar.

addEventListener("keydown", (event) => {
  const isElsewhere = event.ctrlKey || event.altKey || event.metaKey || event.target.closest("dialog, input");
  if (isElsewhere || event.repeat) {
    return;
  }
  const isButton = event.target.closest("button, a, summary");
  const place = event.key === "Enter" && !isButton ? 1 : Number(/^[1-9]$/.exec(event.key)?.[0]);
  const ticket = place <= KEYS && lists.toMake()[place - 1];
  if (ticket) {
    event.preventDefault();
    staff.done(ticket);
  } else if (event.key === "Backspace") {
    event.preventDefault();
    staff.undo();
  }
});

part("sound").addEventListener("click", sound.toggle);
part("sign-out").addEventListener("click", async () => {
  await fetch("sign-out", { method: "POST" }).catch(() => {});
  location.reload();
});
