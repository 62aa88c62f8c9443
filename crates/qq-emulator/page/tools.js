// Whether a bot is there, and the panel: faults to press, violations, sessions, how to connect.

import { $, clockExact, copyButton, el, save, t, toast } from "./dom.js";
import { call } from "./server.js";
import { state } from "./state.js";

const FAULTS = {
  drop: { path: "gateway/drop", body: {}, name: "faultDrop" },
  reconnect: { path: "gateway/reconnect", body: {}, name: "faultReconnect" },
  "close-4009": { path: "gateway/close", body: { code: 4009 }, name: "faultClose" },
  "invalid-resumable": { path: "gateway/invalid-session", body: { resumable: true }, name: "faultResumable" },
  "invalid-session": { path: "gateway/invalid-session", body: { resumable: false }, name: "faultInvalid" },
};
const TRAIL_LENGTH = 20;
const VIOLATIONS_SHOWN = 100;

let lostAt = null;

// ---------------------------------------------------------------- the bot

export function setLink(link) {
  state.link = link;
  showStatus();
}

// Takes the number of connected sessions; answers whether a bot came or went.
export function setSessions(count) {
  const before = state.sessions;
  state.sessions = count;
  showStatus();
  if (before === null || (before > 0) === (count > 0)) return before === null;
  if (count === 0) {
    lostAt = Date.now();
    trail(t("lost"), "bad");
  } else if (lostAt) {
    const words = t("returned", { seconds: ((Date.now() - lostAt) / 1000).toFixed(1) });
    trail(words, "good");
    toast(words, "good");
  } else {
    trail(t("online"), "good");
  }
  return true;
}

export function showStatus() {
  const word = state.link === "live" ? (state.sessions ? "connected" : "disconnected") : state.link;
  const words = word === "connected" && state.sessions > 1 ? t("connectedMany", { n: state.sessions }) : t(word);
  for (const status of document.querySelectorAll(".status")) {
    status.dataset.state = word;
    status.querySelector(".status-text").textContent = words;
  }
  showNotice();
}

// The line above the composer that says why nobody will answer.
export function showNotice() {
  const noBot = state.sessions === 0 && state.current?.items.length > 0;
  const key = state.link === "offline" ? "linkLost" : noBot ? "noBot" : null;
  $("notice").hidden = !key;
  $("notice-help").hidden = key !== "noBot";
  if (key) $("notice-text").textContent = t(key);
}

export function connectCard() {
  const url = location.origin;
  return el("div", { className: "connect" }, ...state.world.bots.map((bot) => el("dl", {},
    ...row(t("command"), `QQ_BOT_APP_ID=${bot.app_id} QQ_BOT_SECRET=${bot.secret} QQ_BOT_BASE_URL=${url} cargo run --release --example ping`),
    ...row(t("appId"), bot.app_id),
    ...row(t("secret"), bot.secret),
    ...row(t("baseUrl"), url))));
}

function row(what, value) {
  return [el("dt", {}, what), el("dd", {}, el("code", {}, value), copyButton(what, value))];
}

// ---------------------------------------------------------------- the panel

async function press(fault) {
  const { path, body, name } = FAULTS[fault];
  trail(t("pressed", { fault: t(name) }), "");
  try {
    await call(path, body);
  } catch (error) {
    toast(t("failed", { what: t(name), cause: error.message }));
  }
}

function trail(text, kind) {
  $("trail").prepend(el("li", { className: kind }, el("time", {}, clockExact(new Date())), text));
  while ($("trail").children.length > TRAIL_LENGTH) $("trail").lastElementChild.remove();
}

export function showViolations(violations) {
  state.violations = violations;
  const count = violations.length;
  for (const badge of [$("violation-badge"), $("violation-count")]) {
    badge.hidden = !count;
    badge.textContent = count > 99 ? "99+" : count;
  }
  $("tools-toggle").setAttribute("aria-label", count ? t("toolsWith", { n: count }) : t("tools"));
  $("violations-hint").textContent = t(count ? "violationsHint" : "noViolations");
  $("violations").replaceChildren(...violations.slice(-VIOLATIONS_SHOWN).reverse().map((one) => el("li", { className: one.level },
    el("p", { className: "rule" }, el("b", {}, one.code), el("time", { dateTime: one.at }, clockExact(new Date(one.at)))),
    el("p", {}, one.message),
    el("p", { className: "hint" }, one.rule))));
}

export function showSessions(sessions) {
  $("sessions-hint").hidden = sessions.length > 0;
  $("sessions").replaceChildren(...sessions.map((session) => el("li", { className: session.connected ? "good" : "bad" },
    el("b", {}, t(session.connected ? "sessionLive" : "sessionGone")),
    el("code", {}, session.id),
    el("span", {}, t("sessionDetail", { index: session.shard[0], count: session.shard[1], intents: session.intents, seq: session.last_seq, resumes: session.resumes })))));
}

export function showTools(open) {
  $("tools").hidden = !open;
  $("backdrop").hidden = !open;
  $("tools-toggle").setAttribute("aria-expanded", String(open));
  document.body.toggleAttribute("data-tools", open);
  save("tools", open ? "open" : "closed");
}

export function listenToTools() {
  const close = () => {
    showTools(false);
    $("tools-toggle").focus();
  };
  $("tools-toggle").onclick = () => {
    showTools($("tools").hidden);
    if (!$("tools").hidden) $("tools-heading").focus();
  };
  $("tools-close").onclick = close;
  $("backdrop").onclick = close;
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !$("tools").hidden) close(); });
  $("notice-help").onclick = () => {
    showTools(true);
    $("connect").scrollIntoView();
    $("connect").querySelector("button").focus();
  };
  for (const button of document.querySelectorAll("[data-fault]")) button.onclick = () => press(button.dataset.fault);
}
