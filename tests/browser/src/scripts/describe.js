// An element in a few words: <button data-test="pay" class="big">결제하기</button>
const describe = (element) => {
  const shell = element.cloneNode(false).outerHTML.replace(/<\/.*/, "");
  const words = (element.innerText ?? "").replace(/\s+/g, " ").trim();
  return `${shell}${words.slice(0, 40)}`;
};
