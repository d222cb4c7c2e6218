// Before any script of a page: what held up the browser for more than 50 ms.
Object.defineProperty(window, "__longTasks", { value: [] });
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) window.__longTasks.push({ startTime, duration });
}).observe({ type: "longtask", buffered: true });
