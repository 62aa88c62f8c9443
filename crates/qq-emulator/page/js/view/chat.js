// The head of the conversation, and the line that says why nobody will answer.

import { $, soon } from "../dom.js";
import { on } from "../bus.js";
import { connected, state } from "../store.js";
import { t } from "../words.js";
import { openTab } from "../inspector/panel.js";
import { emblem } from "./list.js";

export function startChat() {
  const show = () => soon("chat", showHead);
  // At once: what measures itself has to be there.
  on("opened", () => { $("composer").hidden = !state.current; });
  for (const topic of ["opened", "language", "world-changed"]) on(topic, show);
  for (const topic of ["sessions-changed", "link-changed", "opened", "language", "item"]) on(topic, () => soon("notice", showNotice));
  $("notice-help").onclick = () => openTab("connect");
}

function showHead() {
  const conversation = state.current;
  $("chat-name").textContent = conversation?.name ?? t("pick");
  $("chat-emblem").replaceChildren(...(conversation ? [emblem(conversation)] : []));
  const count = conversation?.speakers.length;
  const people = conversation && ["group", "channel"].includes(conversation.scene) ? ` · ${t("members", { n: count })}` : "";
  $("chat-detail").textContent = conversation ? `${t(`one_${conversation.scene}`, conversation)}${people} · ${conversation.id}` : "";
}

function showNotice() {
  const noBot = state.sessions !== null && !connected().length && state.current?.items.length > 0;
  const key = state.link === "offline" ? "linkLost" : noBot ? "noBot" : null;
  $("notice").hidden = !key;
  $("notice-help").hidden = key !== "noBot";
  const words = key ? t(key) : "";
  if ($("notice-text").textContent !== words) $("notice-text").textContent = words;
}
