// What a bot needs to connect, and who is connected.

import { el, soon } from "../dom.js";
import { on } from "../bus.js";
import { state } from "../store.js";
import { copyButton } from "../toast.js";
import { t } from "../words.js";

let panel;

export function buildConnect(node) {
  panel = node;
  for (const topic of ["world-changed", "sessions-changed", "language", "begun"]) on(topic, () => soon("connect", show));
  show();
}

function show() {
  const sessions = state.sessions ?? [];
  panel.replaceChildren(
    el("h3", {}, t("sessions")),
    sessions.length ? el("ul", { className: "sessions", id: "sessions" }, sessions.map(session)) : el("p", { className: "hint" }, t("noSessions")),
    el("h3", {}, t("tab_connect")),
    connectCard());
}

function session({ id, connected, shard, intents, last_seq: seq, resumes, client }) {
  return el("li", { className: connected ? "good" : "bad" },
    el("p", {}, el("b", {}, t(connected ? "sessionLive" : "sessionGone")), ` ${client}`),
    el("code", {}, id),
    el("p", { className: "hint" }, t("sessionDetail", { index: shard[0], count: shard[1], intents, seq, resumes })));
}

export function connectCard() {
  const url = location.origin;
  return el("div", { className: "connect" }, state.world.bots.map((bot) => el("dl", {},
    row(t("command"), `QQ_BOT_APP_ID=${bot.app_id} QQ_BOT_SECRET=${bot.secret} QQ_BOT_BASE_URL=${url} cargo run --release --example ping`),
    row(t("appId"), bot.app_id),
    row(t("secret"), bot.secret),
    row(t("baseUrl"), url))));
}

function row(what, value) {
  return [el("dt", {}, what), el("dd", {}, el("code", {}, value), copyButton(what, value))];
}
