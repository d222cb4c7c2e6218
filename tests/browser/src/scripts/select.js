const [selector, around] = arguments;
return [...(around ?? document).querySelectorAll(selector)].filter((it) => it.checkVisibility({ visibilityProperty: true }));
