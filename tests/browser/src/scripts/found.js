const [around] = arguments;
const found = window.__found ?? [];
delete window.__found;
const inside = found.filter((it) => it.isConnected && (around ?? document).contains(it));
return inside.sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
