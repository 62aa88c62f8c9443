// JSON to be read: indented, coloured, cut where it is too long for a page.

import { el } from "../dom.js";
import { t } from "../words.js";

const MOST = 60_000;
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

export function pretty(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

export function jsonView(value) {
  const whole = pretty(value) ?? "";
  const text = whole.slice(0, MOST);
  const view = el("pre", { className: "json", tabIndex: 0 });
  if (typeof value === "string") {
    view.append(text);
    return view;
  }
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > at) view.append(text.slice(at, match.index));
    const [whole, string, colon, word] = match;
    const kind = string ? (colon ? "key" : "string") : word ? "word" : "number";
    view.append(el("span", { className: `json-${kind}` }, string ?? whole), colon ?? "");
    at = match.index + whole.length;
  }
  view.append(text.slice(at));
  if (whole.length > MOST) view.append(el("em", {}, `\n… ${t("cutOff", { n: whole.length - MOST })}`));
  return view;
}
