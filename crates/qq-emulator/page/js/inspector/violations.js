// What clients did against the protocol.

import { el, soon } from "../dom.js";
import { emit, on } from "../bus.js";
import { clockExact, t } from "../words.js";

const KEPT = 1000;
const SHOWN = 100;

let violations = [];
let list;
let hint;

export const violationCount = () => violations.filter((one) => one.level !== "info").length;

export function buildViolations(panel) {
  hint = el("p", { className: "hint" });
  list = el("ol", { className: "violations", id: "violations" });
  panel.append(hint, list);
  on("violation", (violation) => {
    violations.push(violation);
    if (violations.length > KEPT) violations = violations.slice(-KEPT);
    soon("violations", show);
  });
  on("begun", () => {
    violations = [];
    show();
  });
  on("language", show);
  show();
}

function show() {
  hint.textContent = t(violations.length ? "violationsHint" : "noViolations");
  list.replaceChildren(...violations.slice(-SHOWN).reverse().map((one) => el("li", { className: one.level },
    el("p", { className: "rule" }, el("b", {}, one.code), el("span", { className: "level" }, t(`level_${one.level}`)), el("time", { dateTime: one.at }, clockExact(new Date(one.at)))),
    el("p", {}, one.message),
    el("p", { className: "hint" }, one.rule))));
  emit("violations-changed");
}
