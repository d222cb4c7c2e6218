// Long tasks from the document's beginning, also those that end before the test asks.
Object.defineProperty(window, "__longTasks", { value: [] });
const note = ({ startTime, duration }) => window.__longTasks.push({ startTime, duration });
new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: "longtask", buffered: true });

// Those in which a document is read are sometimes not among them. Until it is loaded we also note for how long the most urgent
// task of all has to wait for its turn.
const waitFrom = (startTime) =>
  scheduler.postTask(
    () => {
      const now = performance.now();
      note({ startTime, duration: now - startTime });
      if (document.readyState !== "complete") waitFrom(now);
    },
    { priority: "user-blocking", delay: 1 },
  );
waitFrom(performance.now());
