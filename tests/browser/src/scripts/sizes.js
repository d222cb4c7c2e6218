return [...document.querySelectorAll(given.selector)]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }))
  .map((element) => ({ element, box: element.getBoundingClientRect() }))
  .filter(({ box }) => Math.min(box.width, box.height) < given.px)
  .map(({ element, box }) => ({ element: describe(element), width: box.width, height: box.height }));
