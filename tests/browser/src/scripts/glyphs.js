// For private use, in the last of all planes: no font has it.
const MISSING = "\u{10FFFD}";
const SIZE = 32;
// Spaces, marks and signs that are not drawn, or not by themselves.
const UNDRAWN = /[\s\p{Cc}\p{Cf}\p{Mark}\p{Default_Ignorable_Code_Point}]/u;

const canvas = document.createElement("canvas");
canvas.width = canvas.height = 2 * SIZE;
const context = canvas.getContext("2d", { willReadFrequently: true });
const drawn = (font, character) => {
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.font = font;
  context.fillText(character, SIZE / 2, SIZE * 1.5);
  return context.getImageData(0, 0, canvas.width, canvas.height).data.join();
};

// Everything that is drawn as text, and the element whose fonts it is drawn in.
const texts = [];
for (const element of document.querySelectorAll("body, body *")) {
  if (!element.checkVisibility({ visibilityProperty: true })) continue;
  for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) texts.push([element, node.data]);
  for (const part of ["::before", "::after"]) texts.push([element, getComputedStyle(element, part).content.replace(/^(none|normal)$/, "")]);
  if (element.matches("input:not([type=password]), textarea")) texts.push([element, element.value + element.placeholder]);
}

const looked = new Map();
const missing = [];
for (const [element, text] of texts) {
  const { fontStyle, fontWeight, fontFamily } = getComputedStyle(element);
  const font = `${fontStyle} ${fontWeight} ${SIZE}px ${fontFamily}`;
  if (!looked.has(font)) looked.set(font, new Set());
  for (const character of text) {
    if (UNDRAWN.test(character) || looked.get(font).has(character)) continue;
    looked.get(font).add(character);
    if (drawn(font, character) === drawn(font, MISSING)) {
      const code = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
      missing.push({ character: `U+${code}`, element: describe(element), font: fontFamily });
    }
  }
}
return missing;
