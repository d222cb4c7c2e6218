// How old what a screen shows is: in words all the time, and in an alarm across the screen once it is too old.

/** News this old is no news. The stream has a beat each second. */
const OLD_MS = 5_000;
const TICK_MS = 500;

/** The clock on the wall may be set, and the steady one may stand still while the device sleeps. */
export function moment() {
  return { wall_ms: Date.now(), steady_ms: performance.now() };
}

/**
 * Tells it in `age` and by `alarm`, whose `data-text` have `{s}` for seconds and `{t}` for a time, until the page is left. `reconnect`
 * is called when nothing is heard over a connection that seems to hold. Answers what tells of news: `confirm(moment)`, what is shown
 * was right then; `live(isLive)`, for the connection; `isOld()`.
 */
export function freshness({ age, alarm, reconnect }) {
  let confirmed = moment(), reconnected = performance.now(), isLive = true;

  function ageMs() {
    return Math.max(Date.now() - confirmed.wall_ms, performance.now() - confirmed.steady_ms, 0);
  }

  const isOld = () => !isLive || ageMs() > OLD_MS;

  function tell() {
    age.textContent = age.dataset.text.replace("{s}", (ageMs() / 1_000).toFixed(1));
    warn(isOld());
    if (isOld() && performance.now() - reconnected > OLD_MS) {
      reconnected = performance.now();
      reconnect();
    }
  }

  function warn(isOld) {
    if (isOld !== alarm.hidden) {
      return;
    }
    document.documentElement.toggleAttribute("data-old", isOld);
    alarm.hidden = !isOld;
    const since = new Date(confirmed.wall_ms).toLocaleTimeString("en-GB");
    for (const line of alarm.children) {
      line.textContent = isOld ? line.dataset.text.replace("{t}", since) : "";
    }
  }

  setInterval(tell, TICK_MS);
  return {
    isOld,
    confirm(at = moment()) { confirmed = at; tell(); },
    live(now) { isLive = now; tell(); },
  };
}
