// Faults to press: what goes wrong now, and what is planned to. Below them, how the bot took it.

import { el, icon, soon } from "../dom.js";
import { post, remove } from "../api.js";
import { on } from "../bus.js";
import { now } from "../clock.js";
import { connected, state } from "../store.js";
import { failed, toast } from "../toast.js";
import { clockExact, t } from "../words.js";

// Done at once to every connection.
const NOW = {
  drop: ["gateway/drop", {}],
  reconnect: ["gateway/reconnect", {}],
  "close-4009": ["gateway/close", { code: 4009 }],
  "close-4900": ["gateway/close", { code: 4900 }],
  "invalid-resumable": ["gateway/invalid-session", { resumable: true }],
  "invalid-session": ["gateway/invalid-session", { resumable: false }],
};
// Planned: the next calls or frames are hit.
const PLANNED = {
  429: { route: "*", times: 1, status: 429, headers: { "Retry-After": "1" } },
  500: { route: "*", times: 1, status: 500 },
  slow: { route: "*", times: 3, delay_ms: 3000 },
  lost: { route: "*", times: 1, action: "lose_reply" },
  "no-ack": { event: "HEARTBEAT_ACK", action: "discard" },
  twice: { times: 1, event: null, action: "duplicate" },
};
const MOST_TRAIL = 30;

const ui = {};
let plan = [];
let trail = []; // { at, key, values, kind }, newest first
let lostAt = null; // when a fault was pressed or the bot was seen gone
let before = null; // the connected sessions as last seen

export function buildFaults(panel) {
  ui.plan = el("ol", { className: "plan", id: "plan" });
  ui.trail = el("ol", { className: "trail", id: "trail", "aria-live": "polite" });
  ui.panel = panel;
  on("faults", (faults) => {
    plan = faults;
    soon("plan", showPlan);
  });
  on("sessions-changed", watch);
  on("begun", () => {
    plan = [];
    before = null;
    lostAt = null;
    trail = [];
    show();
  });
  on("language", show);
  show();
}

function show() {
  const grid = (names, press) => el("div", { className: "fault-grid" }, names.map((name) => el("button", { type: "button", dataset: { fault: name }, onclick: () => press(name) },
    el("b", {}, t(`fault_${name}`)), el("span", {}, t(`fault_${name}_hint`)))));
  ui.panel.replaceChildren(
    el("h3", {}, t("faultsNow")), el("p", { className: "hint" }, t("faultsNowHint")), grid(Object.keys(NOW), pressNow),
    el("h3", {}, t("faultsPlanned")), el("p", { className: "hint" }, t("faultsPlannedHint")), grid(Object.keys(PLANNED), pressPlanned), ui.plan,
    el("h3", {}, t("trail")), ui.trail);
  showPlan();
  showTrail();
}

// ---- now

async function pressNow(name) {
  const [path, body] = NOW[name];
  note("pressed", { fault: name }, "");
  lostAt = performance.now();
  try {
    const { connections } = await post(path, body);
    if (!connections) throw new Error(t("nobodyHit"));
  } catch (error) {
    lostAt = null;
    failed(t(`fault_${name}`), error);
  }
}

// ---- planned

async function pressPlanned(name) {
  const fault = Object.fromEntries(Object.entries(PLANNED[name]).filter(([, value]) => value !== null));
  try {
    await post("faults", [fault]);
    note("planned", { fault: name }, "");
  } catch (error) {
    failed(t(`fault_${name}`), error);
  }
}

// A fault in words: one of the above by its name, any other as it is written.
function nameOf(fault) {
  const same = (own) => Object.entries(own).every(([key, value]) => value === null || key === "headers" || fault[key] === value);
  const known = Object.keys(PLANNED).find((name) => same(PLANNED[name]));
  return known ? t(`fault_${known}`) : (fault.route ?? fault.event ?? fault.action);
}

function showPlan() {
  ui.plan.hidden = !plan.length;
  ui.plan.replaceChildren(...plan.map((fault, index) => {
    const over = fault.times !== undefined && fault.played >= fault.times;
    const button = el("button", { type: "button", className: "icon-button", "aria-label": t("removeFault", { fault: nameOf(fault) }), title: t("removeFault", { fault: nameOf(fault) }) }, icon("close"));
    button.onclick = async () => {
      try {
        await remove(`faults/${index + 1}`);
      } catch (error) {
        failed(nameOf(fault), error);
      }
    };
    return el("li", { className: over ? "over" : "" }, el("b", {}, nameOf(fault)), el("span", {}, t(over ? "playedAll" : "played", { n: fault.played })), button);
  }));
}

// ---- how the bot takes it

function watch() {
  const held = connected().map(({ id, resumes }) => `${id} ${resumes}`).join();
  if (before === null) {
    before = held;
    return;
  }
  if (held === before) return;
  if (!held) {
    lostAt ??= performance.now();
    note("botLost", {}, "bad");
  } else if (!before || lostAt !== null) cameBack();
  before = held;
}

function cameBack() {
  if (lostAt === null) return note("botOnline", {}, "good");
  const ms = Math.ceil(performance.now() - lostAt);
  const resumes = connected().reduce((sum, session) => sum + session.resumes, 0);
  const values = { time: ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`, name: state.world.bots[0]?.name ?? t("bot") };
  note(resumes ? "botResumed" : "botBack", values, "good");
  toast(t(resumes ? "botResumed" : "botBack", values), "good");
  lostAt = null;
}

function note(key, values, kind) {
  trail.unshift({ at: now(), key, values, kind });
  trail.length = Math.min(trail.length, MOST_TRAIL);
  showTrail();
}

// The words of a note, in the language of now.
const wordsOf = ({ key, values }) => t(key, values.fault ? { fault: t(`fault_${values.fault}`) } : values);

function showTrail() {
  ui.trail.replaceChildren(...(trail.length ? trail.map((note) => el("li", { className: note.kind }, el("time", {}, clockExact(note.at)), wordsOf(note))) : [el("li", { className: "hint" }, t("trailEmpty"))]));
}
