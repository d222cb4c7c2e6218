// What a page remembers on the device. A browser may forbid it: then the page begins anew each time.

/** What was kept under a name, or else `otherwise`. */
export function kept(name, otherwise = null) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keeps what JSON can say under a name; null forgets it. */
export function keep(name, value) {
  try {
    if (value === null) {
      localStorage.removeItem(name);
    } else {
      localStorage.setItem(name, JSON.stringify(value));
    }
  } catch {
    // It is asked for again.
  }
}
