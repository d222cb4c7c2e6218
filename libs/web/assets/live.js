// Keeps a page as its service has it. News comes as server-sent events; the page itself is asked for again then, and of its parts
// (elements with `data-part` and an id) those that differ are put in place. So every word is the server's, in one place.

/** So long a connection may be lost before the page says so. */
const PATIENCE_MS = 2_000;
/** How long before a stream that the server refused, or a page that did not come, is asked for again. */
const AGAIN_MS = 2_000;
/** A page that takes longer does not come: a connection may be dead without a word. */
const PAGE_LIMIT_MS = 5_000;

/**
 * Hears `names` from `url` until the page is left, over as many connections as it takes. `heard(name, data)` is called for each
 * event; `changed(isLive)` when the connection is lost for a while, and when it is back. Answers how to connect anew, for whoever
 * knows that a connection is dead before the browser does.
 */
export function follow(url, names, heard, changed = () => {}) {
  let source, doubt, again;
  const isLive = (live) => {
    clearTimeout(doubt);
    doubt = undefined;
    document.documentElement.dataset.link = live ? "live" : "lost";
    changed(live);
  };
  const open = () => {
    clearTimeout(again);
    source?.close();
    source = new EventSource(url);
    source.onopen = () => isLive(true);
    for (const name of names) {
      source.addEventListener(name, (event) => heard(name, event.data));
    }
    source.onerror = () => {
      doubt ??= setTimeout(() => isLive(false), PATIENCE_MS);
      // What the server refused a browser does not try again by itself.
      if (source.readyState === EventSource.CLOSED) {
        again = setTimeout(open, AGAIN_MS);
      }
    };
  };
  // A device that slept may hold a connection that nobody is at the other end of.
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && open());
  addEventListener("online", open);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
  return open;
}

/** Puts what the server says of this page in its place, one request at a time; `shown` is called after each. */
export function refresher(shown = () => {}) {
  let isAsking = false, isAskedAgain = false;
  return async function refresh() {
    if (isAsking) {
      isAskedAgain = true;
      return;
    }
    isAsking = true;
    do {
      isAskedAgain = false;
      try {
        put(await pageOf(location.href));
        shown();
      } catch {
        isAskedAgain = true;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    } while (isAskedAgain);
    isAsking = false;
  };
}

async function pageOf(url) {
  const signal = AbortSignal.timeout(PAGE_LIMIT_MS);
  const answer = await fetch(url, { headers: { accept: "text/html" }, cache: "no-store", signal });
  if (!answer.ok) {
    throw new Error(`the page is answered with ${answer.status}`);
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function put(page) {
  for (const now of page.querySelectorAll("[data-part]")) {
    const before = document.getElementById(now.id);
    if (!before || before.isEqualNode(now)) {
      continue;
    }
    const focused = before.contains(document.activeElement) ? document.activeElement.id : "";
    for (const { name, value } of now.attributes) {
      before.setAttribute(name, value);
    }
    before.replaceChildren(...now.childNodes);
    if (focused) {
      document.getElementById(focused)?.focus();
    }
  }
}
