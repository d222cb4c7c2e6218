// Keeps the screen from going dark. A browser lets a page do that only over HTTPS, or on the machine that serves it; elsewhere the
// device's own settings decide, and the page says so.

/** Whether it does is in `data-awake` of the page: `yes` or `no`. */
export function stayAwake() {
  const changed = (isKept) => { document.documentElement.dataset.awake = isKept ? "yes" : "no"; };

  async function ask() {
    try {
      const lock = await navigator.wakeLock.request("screen");
      lock.onrelease = () => changed(false);
      changed(true);
    } catch {
      changed(false);
    }
  }
  // A browser takes it back from a page that is out of sight.
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
  ask();
}
