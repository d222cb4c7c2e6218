// The door of the staff's screens: shows the service the key once, and the browser keeps what stands for it.
const door = document.getElementById("door"), refused = document.getElementById("refused"), enter = door.querySelector("button");

/** A service that takes longer is away. */
const LIMIT_MS = 10_000;

door.addEventListener("submit", async (event) => {
  event.preventDefault();
  enter.disabled = true;
  refused.hidden = true;
  const why = await reasonToRefuse(door.key.value);
  if (!why) {
    location.reload();
    return;
  }
  enter.disabled = false;
  refused.textContent = why;
  refused.hidden = false;
  door.key.select();
});

async function reasonToRefuse(key) {
  const body = JSON.stringify({ key }), headers = { "content-type": "application/json" };
  try {
    const { ok, status } = await fetch("sign-in", { method: "POST", headers, body, signal: AbortSignal.timeout(LIMIT_MS) });
    return ok ? "" : status < 500 ? door.dataset.wrong : door.dataset.away;
  } catch {
    return door.dataset.away;
  }
}
