// The list of conversations, and the state of the bot above it.

import { $, avatar, el, soon } from "../dom.js";
import { on } from "../bus.js";
import { connected, SCENES, state } from "../store.js";
import { clock, t } from "../words.js";
import { preview } from "./preview.js";

export function startList() {
  const show = () => soon("list", showList);
  for (const topic of ["item", "item-gone", "world-changed", "opened", "language", "typing-changed", "begun"]) on(topic, show);
  for (const topic of ["sessions-changed", "link-changed", "language", "world-changed", "begun"]) on(topic, () => soon("status", showStatus));
  $("search").oninput = show;
  $("search").onkeydown = (event) => {
    if (event.key === "Escape") {
      $("search").value = "";
      showList();
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      $("list").querySelector("a")?.focus();
    }
  };
  $("list").onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey) return;
    event.preventDefault();
    const links = [...$("list").querySelectorAll("a")];
    links[(links.indexOf(document.activeElement) + step + links.length) % links.length]?.focus();
  };
}

function section(scene) {
  let node = $(`list-${scene}`);
  if (node) return node;
  node = el("ul", { id: `list-${scene}`, "aria-labelledby": `heading-${scene}` });
  $("list").append(el("section", {}, el("h2", { id: `heading-${scene}`, dataset: { t: `scene_${scene}` } }, t(`scene_${scene}`)), node));
  return node;
}

// Links stay the same elements while what they show changes: a press that began on one ends on it.
function showList() {
  const wanted = $("search").value.trim().toLowerCase();
  let unread = 0;
  for (const scene of SCENES) {
    const all = [...state.conversations.values()].filter((conversation) => conversation.scene === scene);
    unread += all.reduce((sum, conversation) => sum + conversation.unread, 0);
    const shown = all.filter(({ name, place }) => `${name} ${place ?? ""}`.toLowerCase().includes(wanted));
    const list = section(scene);
    list.parentElement.hidden = !shown.length;
    const links = [...list.querySelectorAll("a")];
    if (shown.length !== links.length || shown.some(({ key }, index) => links[index].dataset.conversation !== key)) {
      list.replaceChildren(...shown.map(({ key }) => el("li", {}, el("a", { className: "entry", href: `#${key}`, dataset: { conversation: key } }))));
    }
    shown.forEach((conversation, index) => showEntry(list.children[index].firstElementChild, conversation));
  }
  document.title = (unread ? `(${unread}) ` : "") + t("title");
}

function showEntry(link, conversation) {
  const last = conversation.items.at(-1);
  const line = conversation.typing > Date.now() ? t("typing") : last ? preview(last) : (conversation.place ?? t("nothingYet"));
  link.replaceChildren(
    emblem(conversation),
    el("span", { className: "entry-name" }, conversation.name),
    last ? el("time", {}, clock(new Date(last.at))) : "",
    el("span", { className: "entry-last" }, line),
    conversation.unread ? el("span", { className: "unread", "aria-label": t("unread", { n: conversation.unread }), role: "img" }, conversation.unread > 99 ? "99+" : String(conversation.unread)) : "");
  if (conversation === state.current) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}

export function emblem(conversation) {
  if (conversation.scene === "channel") return el("span", { className: "avatar of-channel", "aria-hidden": "true" }, "#");
  return avatar(conversation.face ?? conversation);
}

function showStatus() {
  const count = connected().length;
  const bots = state.world.bots.filter((bot) => connected().some((session) => session.app_id === bot.app_id));
  const name = bots.map((bot) => bot.name).join(", ") || t("bot");
  let word = state.link;
  let words = t(word);
  if (word === "live") {
    word = state.sessions === null ? "waiting" : count ? "connected" : "disconnected";
    words = word === "waiting" ? t(word) : count > 1 ? t("connectedMany", { name, n: count }) : t(word, { name });
  }
  for (const status of document.querySelectorAll(".status")) {
    status.dataset.state = word;
    const text = status.querySelector(".status-text");
    // A live region speaks when it changes, so it changes only then.
    if (text.textContent !== words) text.textContent = words;
  }
}
