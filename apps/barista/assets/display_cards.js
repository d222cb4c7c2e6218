// Tickets as cards. A card is drawn when its ticket has changed, and moved when its place has.

/** Cards that are made in one go. */
const AT_ONCE = 6;
/** From here on a ticket is old, and from there on late. */
const OLD_MIN = 3, LATE_MIN = 6;
/** A ticket this old is of another day, even when no ticket of a later day is shown. */
const DAY_MS = 12 * 3_600_000;
/** Different drinks that are counted; the others are in the cards. */
const DRINKS_LIMIT = 12;

const part = (id) => document.getElementById(id);
const copyOf = (id) => part(id).content.firstElementChild.cloneNode(true);

export function cards({ words, behind_ms, staff, today }) {
  const now = () => Date.now() + behind_ms;
  const name = (line) => line.name[words.language];
  const how = (line) => [words.sizes[line.size], ...line.options].join(" · ");
  const label = (element, text, ticket) => element.setAttribute("aria-label", `${text}, ${ticket.number}`);

  /** Keeps a list of elements as a list of tickets is, and answers whether it is done with all of them. */
  function list(id, make, since) {
    const container = part(id), known = new Map();
    return (tickets, mark = () => "") => {
      const wanted = new Set(tickets.map(({ order_id }) => order_id));
      for (const [order_id, { element }] of known) {
        if (!wanted.has(order_id)) {
          element.remove();
          known.delete(order_id);
        }
      }
      let made = 0, next = container.firstElementChild;
      for (const [place, ticket] of tickets.entries()) {
        const is = `${ticket.version} ${place < 9 ? place : ""} ${mark(ticket)}`, before = known.get(ticket.order_id);
        let element = before?.element;
        if (before?.is !== is) {
          if (made === AT_ONCE) {
            return false;
          }
          made += 1;
          const focused = element?.contains(document.activeElement) ? document.activeElement.className : "";
          const fresh = make(ticket, place);
          fresh.dataset.since = ticket[since];
          tellAge(fresh);
          element?.replaceWith(fresh);
          if (element === next) {
            next = fresh;
          }
          element = fresh;
          known.set(ticket.order_id, { is, element });
          if (focused) {
            element.querySelector(`.${focused.split(" ")[0]}`)?.focus();
          }
        }
        if (element !== next) {
          container.insertBefore(element, next);
        } else {
          next = next.nextElementSibling;
        }
      }
      return true;
    };
  }

  function head(element, ticket) {
    element.querySelector(".number").textContent = ticket.number;
    const isOfToday = ticket.day === today() && now() - Date.parse(ticket.queued_at) < DAY_MS;
    element.querySelector(".day").textContent = isOfToday ? "" : ticket.day.slice(5).replace("-", "/");
  }

  function card(ticket, place) {
    const element = copyOf("card"), [reject, start, done] = element.querySelectorAll(".acts button");
    head(element, ticket);
    element.classList.toggle("making", ticket.status === "making");
    element.querySelector("kbd").textContent = place < 9 ? place + 1 : "";
    element.querySelector("ul").replaceChildren(...ticket.lines.map((line) => lineOf(ticket, line)));
    start.hidden = ticket.status !== "queued";
    element.querySelector(".started").hidden = ticket.status !== "making";
    label(reject, words.reject, ticket);
    label(start, words.start, ticket);
    label(done, words.done, ticket);
    reject.addEventListener("click", () => staff.reject(ticket));
    start.addEventListener("click", () => staff.start(ticket));
    done.addEventListener("click", () => staff.done(ticket));
    return element;
  }

  function lineOf(ticket, line) {
    const element = copyOf("line"), button = element.firstElementChild;
    element.querySelector("b").textContent = `${line.quantity}×`;
    element.querySelector(".name").textContent = name(line);
    element.querySelector(".how").textContent = [how(line), line.takeout ? words.to_go : words.for_here].join(" · ");
    element.classList.toggle("out", line.takeout);
    element.classList.add(line.state);
    const marks = { ready: `✓ ${words.made}`, rejected: `✕ ${words.cannot}`, waiting: line.recalled ? `↻ ${words.again}` : "" };
    element.querySelector(".mark").textContent = marks[line.state];
    button.setAttribute("aria-pressed", line.state === "ready");
    button.disabled = line.state === "rejected";
    button.setAttribute("aria-label", [`${line.quantity} ${name(line)}`, element.querySelector(".how").textContent, marks[line.state].slice(2), ticket.number].filter(Boolean).join(", "));
    button.addEventListener("click", () => staff.line(ticket, line));
    return element;
  }

  function waiting(ticket) {
    const element = copyOf("waiting"), [recall, pickedUp] = element.querySelectorAll("button");
    head(element, ticket);
    element.classList.toggle("leaving", staff.leaving(ticket));
    label(recall, words.recall, ticket);
    label(pickedUp, words.picked_up, ticket);
    recall.addEventListener("click", () => staff.recall(ticket));
    pickedUp.addEventListener("click", () => staff.pickedUp(ticket));
    pickedUp.disabled = staff.leaving(ticket);
    pickedUp.hidden = ticket.status !== "ready";
    return element;
  }

  function tellAge(element) {
    const minutes = Math.max(0, Math.floor((now() - Date.parse(element.dataset.since)) / 60_000));
    const since = element.querySelector(".since"), text = words.minutes.replace("{n}", minutes);
    const age = minutes >= LATE_MIN ? "late" : minutes >= OLD_MIN ? "old" : "new";
    if (element.dataset.age !== age) {
      element.dataset.age = age;
    }
    const said = age === "late" ? `${text} · ${words.late}` : text;
    if (since.textContent !== said) {
      since.textContent = said;
    }
  }

  /** The same drinks of all tickets together. */
  function drinks(tickets) {
    const counts = new Map();
    for (const line of tickets.flatMap(({ lines }) => lines).filter(({ state }) => state === "waiting")) {
      const drink = `${name(line)} ${how(line)}`;
      counts.set(drink, (counts.get(drink) ?? 0) + line.quantity);
    }
    const most = [...counts].sort((one, other) => other[1] - one[1]).slice(0, DRINKS_LIMIT);
    const items = most.map(([drink, count]) => {
      const item = document.createElement("li"), number = document.createElement("b");
      number.className = "number";
      number.textContent = `${count}×`;
      item.append(number, ` ${drink}`);
      return item;
    });
    part("drinks").replaceChildren(...items);
  }

  return {
    toMake: list("tickets", card, "queued_at"),
    ready: list("ready", waiting, "ready_at"),
    collected: list("collected", waiting, "queued_at"),
    drinks,
    ages: () => document.querySelectorAll(".ticket").forEach(tellAge),
  };
}
