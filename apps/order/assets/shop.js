// The shop on a phone. What was chosen is kept on the device until it is paid; what is sent carries one key until it is answered, so
// that a touch too many, a lost answer or a page loaded again is the same order.
import { keep, kept } from "./kept.js";

const shop = document.getElementById("shop");
const words = shop.dataset;
const [drinkDialog, cartDialog] = ["drink", "cart"].map((id) => document.getElementById(id));
const [said, paying] = ["said", "paying"].map((id) => document.getElementById(id));

/** Kept on the device: an array of lines, or one checkout that is not answered yet, or the last order's address. */
const CART = "cafe.cart", CHECKOUT = "cafe.checkout", ORDER = "cafe.order", TOLD = "cafe.told";
/** Before what got no answer is sent again, where the answer does not say when. */
const AGAIN_MS = 2_000;
/** An answer that takes longer is not waited for: the same is sent again. */
const ANSWER_MS = 15_000;
/** A checkout younger than this goes on by itself when the page is loaded again. */
const RESUME_MS = 60_000;
/** An order is shown for so long. */
const ORDER_MS = 12 * 3_600_000;

let cart = kept(CART, []);

/** An amount in minor units, as the server writes it. */
function money(amount) {
  const decimals = Number(words.decimals);
  const digits = String(amount).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  return words.unit + whole + (decimals ? `.${digits.slice(-decimals)}` : "");
}

/** The drink and the size of a line as the menu has them now; nothing if it has not. */
function offered(line) {
  const card = document.querySelector(`.card[data-drink="${CSS.escape(line.menu)}"]`);
  const size = card?.nextElementSibling.content.querySelector(`[value="${CSS.escape(line.size)}"]`);
  return size ? { name: card.querySelector(".name").textContent, size: size.dataset.name, amount: Number(size.dataset.amount) } : null;
}

const sumOf = (line) => (offered(line)?.amount ?? 0) * line.quantity;
const total = () => cart.reduce((sum, line) => sum + sumOf(line), 0);
const isSame = (one, other) => one.menu === other.menu && one.size === other.size && one.takeout === other.takeout;

function say(text) {
  said.textContent = "";
  // A live region tells what changes, also if it says the same again.
  requestAnimationFrame(() => (said.textContent = text));
}

function tell(text, kind = "") {
  paying.hidden = !text;
  paying.className = `note ${kind}`;
  paying.textContent = text;
}

/* Choosing. */

function choose(card) {
  const form = card.nextElementSibling.content.firstElementChild.cloneNode(true);
  const output = form.querySelector("output");
  let quantity = 1;
  const show = () => {
    output.textContent = quantity;
    form.querySelector(".fewer").disabled = quantity === 1;
    form.querySelector(".more").disabled = quantity === Number(words.quantityMax);
    form.querySelector(".sum").textContent = money(form.querySelector("[name=size]:checked").dataset.amount * quantity);
  };
  const count = (by) => {
    quantity += by;
    show();
  };
  form.elements.takeout.value = document.forms["where-to"].elements.takeout.value;
  form.querySelector(".fewer").onclick = () => count(-1);
  form.querySelector(".more").onclick = () => count(1);
  form.querySelector(".close").onclick = () => drinkDialog.close();
  form.onchange = show;
  form.onsubmit = (event) => {
    event.preventDefault();
    const { size, takeout } = form.elements;
    const isIn = add({ menu: card.dataset.drink, size: size.value, takeout: takeout.value === "true", quantity });
    say(isIn ? `${form.querySelector("h2").textContent}: ${words.added}` : words.full);
    drinkDialog.close();
  };
  drinkDialog.replaceChildren(form);
  show();
  drinkDialog.showModal();
}

function add(line) {
  const there = cart.find((other) => isSame(line, other));
  const quantity = (there?.quantity ?? 0) + line.quantity;
  if (quantity > Number(words.quantityMax) || (!there && cart.length === Number(words.linesMax))) {
    return false;
  }
  there ? (there.quantity = quantity) : cart.push(line);
  changed();
  return true;
}

/* What was chosen. */

function changed() {
  keep(CART, cart);
  tell("");
  showCart();
}

function showCart() {
  const count = cart.reduce((sum, line) => sum + line.quantity, 0);
  const isGone = cart.some((line) => !offered(line));
  document.getElementById("bar").hidden = count === 0;
  document.getElementById("count").textContent = count;
  document.getElementById("empty").hidden = count > 0;
  document.getElementById("pay").disabled = count === 0 || isGone;
  for (const sum of document.querySelectorAll("#open-cart .sum, .total .sum, #pay .sum")) {
    sum.textContent = money(total());
  }
  document.getElementById("lines").replaceChildren(...cart.map(lineItem));
}

function lineItem(line) {
  const item = document.getElementById("line").content.firstElementChild.cloneNode(true);
  const drink = offered(line);
  const name = drink?.name ?? line.menu;
  const find = (selector) => item.querySelector(selector);
  find("h3").textContent = name;
  find(".detail").textContent = [drink?.size, line.takeout ? words.toGo : words.here].filter(Boolean).join(" · ");
  find(".gone").hidden = drink !== null;
  find("output").textContent = line.quantity;
  find(".sum").textContent = money(sumOf(line));
  const button = (selector, label, does) => {
    const button = find(selector);
    button.setAttribute("aria-label", `${name}: ${label}`);
    button.onclick = () => {
      const place = cart.indexOf(line);
      does(place);
      changed();
      (document.querySelectorAll(`#lines ${selector}`)[Math.min(place, cart.length - 1)] ?? cartDialog.querySelector(".close")).focus();
    };
    return button;
  };
  button(".fewer", words.fewer, () => (line.quantity -= 1)).disabled = line.quantity === 1;
  button(".more", words.more, () => (line.quantity += 1)).disabled = line.quantity === Number(words.quantityMax);
  button(".remove", words.remove, (place) => cart.splice(place, 1));
  return item;
}

/* Paying. */

function checkoutOfCart() {
  const takeout = document.forms["where-to"].elements.takeout.value === "true";
  const body = {
    items: cart.map(({ menu, size, quantity, takeout }) => ({ menu, size, quantity, takeout })),
    takeout,
    expected_total: total(),
    payment: { vendor: words.vendor, token: document.getElementById("card")?.value },
  };
  return { key: crypto.randomUUID?.() ?? keyOfItsOwn(), body: JSON.stringify(body), at: Date.now() };
}

/** Without HTTPS a browser makes no UUIDs. */
function keyOfItsOwn() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, "0")).join("");
}

let isPaying = false;

/** Sends a checkout until it is answered. */
async function pay(checkout) {
  if (isPaying) {
    return;
  }
  isPaying = true;
  keep(CHECKOUT, checkout);
  lock(true);
  tell(words.paying);
  const answer = await answered(checkout);
  isPaying = false;
  keep(CHECKOUT, null);
  if (answer.status === 201) {
    return placed(await answer.json());
  }
  lock(false);
  await refused(answer);
}

async function answered({ key, body }) {
  for (;;) {
    try {
      const headers = { "content-type": "application/json", "idempotency-key": key };
      const answer = await fetch("orders", { method: "POST", headers, body, signal: AbortSignal.timeout(ANSWER_MS) });
      if (isFinal(answer)) {
        return answer;
      }
    } catch {
      // Nobody answered; it may have arrived.
    }
    tell(words.trying, "bad");
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** Whether the service itself has said what became of the order. What a proxy says for it, or an error in the middle, does not. */
function isFinal(answer) {
  const isOurs = answer.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
  return answer.status === 201 || (isOurs && answer.status !== 500);
}

async function refused(answer) {
  const { type = "" } = await answer.json().catch(() => ({}));
  if (type.endsWith(":price-changed")) {
    // The page is loaded with the new prices, and says why.
    keep(TOLD, words.priceChanged);
    return location.reload();
  }
  const text = { 503: type.endsWith(":payment-stuck") ? words.stuck : words.busy, 429: words.busy }[answer.status] ?? words.refused;
  tell(text, "bad");
}

function placed({ id, token }) {
  const address = `o/${id}?token=${token}`;
  keep(ORDER, { address, at: Date.now() });
  cart = [];
  keep(CART, cart);
  location.assign(address);
}

/** While an order is on its way nothing of it can be changed. */
function lock(isLocked) {
  for (const control of cartDialog.querySelectorAll("button, select")) {
    control.disabled = isLocked;
  }
  cartDialog.toggleAttribute("aria-busy", isLocked);
  if (!isLocked) {
    showCart();
  }
}

/* The page. */

function resume() {
  const checkout = kept(CHECKOUT);
  if (!checkout) {
    return;
  }
  const goOn = () => {
    document.getElementById("unsure").hidden = true;
    cartDialog.showModal();
    pay(checkout);
  };
  if (Date.now() - checkout.at < RESUME_MS) {
    return goOn();
  }
  document.getElementById("unsure").hidden = false;
  document.getElementById("send-again").onclick = goOn;
}

function remind() {
  const order = kept(ORDER);
  const isRecent = order && Date.now() - order.at < ORDER_MS;
  document.getElementById("my-order").hidden = !isRecent;
  if (isRecent) {
    document.querySelector("#my-order a").href = order.address;
  }
}

for (const card of document.querySelectorAll(".card")) {
  card.onclick = () => choose(card);
}
document.getElementById("open-cart").onclick = () => cartDialog.showModal();
cartDialog.querySelector(".close").onclick = () => cartDialog.close();
// What is on its way is not put out of sight.
cartDialog.oncancel = (event) => isPaying && event.preventDefault();
document.getElementById("pay").onclick = () => pay(checkoutOfCart());

showCart();
remind();
resume();
const told = kept(TOLD);
if (told) {
  keep(TOLD, null);
  cartDialog.showModal();
  tell(told, "bad");
}
// Kept in another window, or come back to.
addEventListener("storage", (event) => {
  if (event.key === CART && !isPaying) {
    cart = kept(CART, []);
    showCart();
  }
});
addEventListener("pageshow", (event) => event.persisted && location.reload());
