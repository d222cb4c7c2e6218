// What staff do to a ticket: sent at once, told, and taken back for as long as a slip takes to be seen.

/** So long the last act can be taken back. */
const UNDO_MS = 5_000;
/** What is told goes away by itself, unless it can be taken back. */
const TOLD_MS = 8_000;
/** A service that takes longer is away. */
const LIMIT_MS = 10_000;
/** The longest reason. */
const REASON_LIMIT = 200;

const part = (id) => document.getElementById(id);

/**
 * `take(ticket)` is called with what the service answers, `show()` when something else changed. Each act names the version that
 * was seen: of two screens that touch the same ticket one is told that the other was faster.
 */
export function acts({ words, told, undo: undoButton, left, take, show }) {
  const underWay = new Set(), leaving = new Map();
  let last, toldUntil;

  // Asking the service.

  async function ask({ order_id, version }, what, body, keepalive = false) {
    const headers = { "content-type": "application/json", "if-match": `"${version}"` };
    const signal = AbortSignal.timeout(LIMIT_MS);
    const answer = await fetch(`tickets/${order_id}/${what}`, { method: "POST", headers, body: JSON.stringify(body), signal, keepalive });
    if (answer.status === 401 || answer.status === 403) {
      location.reload();
    }
    return { status: answer.status, said: await answer.json() };
  }

  /** Does it once at a time for each ticket; answers the ticket as it is then, or nothing. */
  async function act(ticket, what, body = {}) {
    if (underWay.has(ticket.order_id)) {
      return undefined;
    }
    underWay.add(ticket.order_id);
    try {
      const { status, said } = await ask(ticket, what, body);
      if (status === 200) {
        take(said);
        return said;
      }
      const now = status === 412 || status === 409 ? await ticketNow(ticket) : undefined;
      if (status === 412 && now && isStillToMake(ticket, now)) {
        const again = await ask(now, what, body);
        if (again.status === 200) {
          take(again.said);
          return again.said;
        }
      }
      tellWhy(ticket, status, now);
    } catch {
      tell(words.failed.replace("{n}", ticket.number), true);
    } finally {
      underWay.delete(ticket.order_id);
    }
    return undefined;
  }

  async function ticketNow({ order_id }) {
    const answer = await fetch(`tickets/${order_id}`, { signal: AbortSignal.timeout(LIMIT_MS) });
    return answer.ok ? answer.json() : undefined;
  }

  /** A ticket that has only been started since, as the next one is by itself, is for whoever makes it what it was. */
  function isStillToMake(seen, now) {
    const linesOf = ({ lines }) => lines.map(({ state }) => state).join();
    return seen.status === "queued" && now.status === "making" && linesOf(seen) === linesOf(now);
  }

  /** Somebody else was faster, or it cannot be done: what the ticket is now is said, and shown. */
  function tellWhy(ticket, status, now) {
    if (!now) {
      tell(words.failed.replace("{n}", ticket.number), true);
      return;
    }
    const sentence = status === 412 ? words.faster : words.not_now;
    take(now);
    tell(sentence.replace("{n}", ticket.number).replace("{s}", words.statuses[now.status]), true);
  }

  // Telling, and taking back.

  function tell(text, isBad = false) {
    told.textContent = text;
    told.parentElement.classList.toggle("bad", isBad);
    told.parentElement.classList.toggle("shown", text !== "");
    clearTimeout(toldUntil);
    toldUntil = setTimeout(() => tell(""), TOLD_MS);
    if (isBad) {
      endUndo();
    }
  }

  function offerUndo(text, back) {
    endUndo();
    tell(text);
    const until = performance.now() + UNDO_MS;
    const count = () => { left.textContent = Math.max(1, Math.ceil((until - performance.now()) / 1_000)); };
    const offer = { back, ticking: setInterval(count, 200), ending: setTimeout(() => { endUndo(); tell(""); }, UNDO_MS) };
    last = offer;
    count();
    undoButton.hidden = false;
  }

  function endUndo() {
    clearInterval(last?.ticking);
    clearTimeout(last?.ending);
    last = undefined;
    undoButton.hidden = true;
  }

  function undo() {
    const offer = last;
    endUndo();
    tell("");
    offer?.back();
  }

  // What can be done.

  const linesOf = (ticket, state) => ticket.lines.filter((line) => line.state === state);
  const ids = (lines) => lines.map(({ line_id }) => line_id);

  async function done(ticket) {
    const lines = ids(linesOf(ticket, "waiting")), after = await act(ticket, "ready");
    if (after) {
      const back = () => act(after, "recall", { lines, reason: "undo" });
      offerUndo(words.was_done.replace("{n}", ticket.number), back);
    }
  }

  /** What was handed over cannot be made not to be: so it is said once nobody takes it back. */
  function pickedUp(ticket) {
    const stay = () => {
      clearTimeout(leaving.get(ticket.order_id)?.timer);
      leaving.delete(ticket.order_id);
    };
    const settle = (keepalive) => {
      stay();
      return keepalive ? ask(ticket, "pick-up", {}, true).catch(() => {}) : act(ticket, "pick-up").then(show);
    };
    leaving.set(ticket.order_id, { settle, timer: setTimeout(settle, UNDO_MS, false) });
    offerUndo(words.was_picked_up.replace("{n}", ticket.number), () => {
      stay();
      show();
    });
    show();
  }

  async function line(ticket, { line_id, state }) {
    await act(ticket, `lines/${line_id}/${state === "ready" ? "recall" : "ready"}`);
  }

  async function reject(ticket) {
    const chosen = await choose(ticket, linesOf(ticket, "waiting"), words.reject_title, words.reject_note, words.reject_reasons, words.reject);
    if (chosen && await act(ticket, "reject", chosen)) {
      tell(words.was_rejected.replace("{n}", ticket.number));
    }
  }

  async function recall(ticket) {
    const chosen = await choose(ticket, linesOf(ticket, "ready"), words.recall_title, words.recall_note, words.recall_reasons, words.recall);
    if (chosen && await act(ticket, "recall", chosen)) {
      tell(words.was_recalled.replace("{n}", ticket.number));
    }
  }

  // Asking which, and why.

  function choose(ticket, lines, title, note, reasons, act) {
    part("ask-title").textContent = title.replace("{n}", ticket.number);
    part("ask-note").textContent = note;
    part("ask-do").textContent = act;
    const field = (type, name, value, text, isChosen) => {
      const label = document.createElement("label"), input = document.createElement("input"), said = document.createElement("span");
      Object.assign(input, { type, name, value, checked: isChosen });
      said.textContent = text;
      label.append(input, said);
      return label;
    };
    const lineText = (it) => `${it.quantity}× ${it.name[words.language]}, ${words.sizes[it.size]}`;
    part("ask-lines").replaceChildren(...lines.map((it) => field("checkbox", "line", it.line_id, lineText(it), true)));
    const all = [...reasons.map((reason) => [reason, reason]), ["", words.other_reason]];
    part("ask-reasons").replaceChildren(...all.map(([value, text], at) => field("radio", "reason", value, text, at === 0)));
    const dialog = part("ask"), chosen = (name) => [...dialog.querySelectorAll(`[name=${name}]:checked`)].map(({ value }) => value);
    part("ask-reason").value = "";
    const look = () => {
      part("ask-other").hidden = chosen("reason")[0] !== "";
      part("ask-do").disabled = chosen("line").length === 0;
    };
    look();
    dialog.onchange = look;
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.onclose = () => {
        const reason = (chosen("reason")[0] || part("ask-reason").value).trim().slice(0, REASON_LIMIT);
        resolve(dialog.returnValue === "do" ? { lines: chosen("line").map(Number), ...(reason && { reason }) } : undefined);
      };
    });
  }

  undoButton.addEventListener("click", undo);
  addEventListener("pagehide", () => leaving.forEach(({ settle }) => settle(true)));
  return {
    start: (ticket) => act(ticket, "start"),
    done,
    pickedUp,
    line,
    reject,
    recall,
    undo,
    leaving: ({ order_id }) => leaving.has(order_id),
  };
}
