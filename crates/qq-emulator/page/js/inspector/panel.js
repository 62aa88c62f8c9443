// The inspector: tabs beside the conversation, over it where there is no room.

import { $, el } from "../dom.js";
import { on } from "../bus.js";
import { saved, save } from "../prefs.js";
import { t } from "../words.js";
import { buildConnect } from "./connect.js";
import { buildFaults } from "./faults.js";
import { buildSettings } from "./settings.js";
import { buildTraffic } from "./traffic.js";
import { buildViolations, violationCount } from "./violations.js";

const ROOM = matchMedia("(min-width: 1180px)");
const TABS = { traffic: buildTraffic, violations: buildViolations, faults: buildFaults, settings: buildSettings, connect: buildConnect };

let current = TABS[saved("tab")] ? saved("tab") : "traffic";

export function startInspector() {
  for (const [name, build] of Object.entries(TABS)) {
    const tab = el("button", { type: "button", id: `tab-${name}`, role: "tab", "aria-controls": `panel-${name}` }, el("span", {}));
    const panel = el("section", { id: `panel-${name}`, className: "panel", role: "tabpanel", "aria-labelledby": `tab-${name}`, tabIndex: 0 });
    tab.onclick = () => select(name);
    $("tabs").append(tab);
    $("panels").append(panel);
    build(panel);
  }
  $("tab-violations").append(el("span", { className: "badge", id: "violation-count", hidden: true }));
  on("language", words);
  on("violations-changed", showBadges);
  words();
  select(current);
  $("tabs").onkeydown = (event) => {
    const names = Object.keys(TABS);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    select(names[(names.indexOf(current) + step + names.length) % names.length]);
    $(`tab-${current}`).focus();
  };
  $("inspector-toggle").onclick = toggle;
  $("inspector-close").onclick = close;
  $("backdrop").onclick = close;
  ROOM.onchange = () => show(!$("inspector").hidden);
  show(saved("inspector") === "open" && ROOM.matches);
}

function words() {
  for (const name of Object.keys(TABS)) $(`tab-${name}`).firstElementChild.textContent = t(`tab_${name}`);
  showBadges();
}

function select(name) {
  current = name;
  save("tab", name);
  for (const other of Object.keys(TABS)) {
    const chosen = other === name;
    $(`tab-${other}`).setAttribute("aria-selected", String(chosen));
    $(`tab-${other}`).tabIndex = chosen ? 0 : -1;
    $(`panel-${other}`).hidden = !chosen;
  }
}

function showBadges() {
  const count = violationCount();
  for (const badge of [$("violation-badge"), $("violation-count")]) {
    badge.hidden = !count;
    badge.textContent = count > 99 ? "99+" : String(count);
  }
  const label = count ? t("inspectorWith", { n: count }) : t("inspector");
  $("inspector-toggle").setAttribute("aria-label", label);
  $("inspector-toggle").title = label;
}

function show(open) {
  $("inspector").hidden = !open;
  $("backdrop").hidden = !open || ROOM.matches;
  $("inspector-toggle").setAttribute("aria-expanded", String(open));
  document.body.toggleAttribute("data-inspector", open);
  // Where the inspector covers the page, the keyboard stays in it.
  $("sidebar").inert = $("chat").inert = open && !ROOM.matches;
}

export function toggle() {
  if (!$("inspector").hidden) return close();
  show(true);
  save("inspector", "open");
  $("inspector-heading").focus();
}

export function close() {
  show(false);
  save("inspector", null);
  $("inspector-toggle").focus();
}

export const isOpen = () => !$("inspector").hidden;

// Opens the inspector at a tab.
export function openTab(name) {
  select(name);
  show(true);
  $(`tab-${name}`).focus();
}
