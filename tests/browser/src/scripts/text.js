// The innermost elements that can be seen and have the words.
const [words, around] = arguments;
const flat = (text) => text.replace(/\s+/g, " ").trim();
const holds = (element) => element.checkVisibility({ visibilityProperty: true }) && flat(element.innerText ?? "").includes(words);
return [...(around ?? document.body).querySelectorAll("*")].filter((it) => holds(it) && ![...it.children].some(holds));
