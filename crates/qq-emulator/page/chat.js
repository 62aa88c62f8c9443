// The list of conversations and the log of the one that is open.

import { $, avatar, clock, day, el, icon, moment, picture, t } from "./dom.js";
import { MARKER, inline, markdown } from "./markdown.js";
import { KEPT_PER_CONVERSATION, SCENES, nameOf, state } from "./state.js";
import { connectCard } from "./tools.js";

const RUN_GAP_MS = 3 * 60_000;
const NEAR_END_PX = 48;

let stick = true; // the reader is at the end of the log
let scrolledTo = 0;
let fresh = 0; // messages that arrived while the reader was not

// ---------------------------------------------------------------- the list

export function showList() {
  const conversations = [...state.conversations.values()];
  const parts = [];
  for (const scene of SCENES) {
    const entries = conversations.filter((conversation) => conversation.scene === scene);
    if (!entries.length) continue;
    parts.push(el("h2", { id: `list-${scene}` }, t(scene)), el("ul", { "aria-labelledby": `list-${scene}` }, ...entries.map(listEntry)));
  }
  const focused = document.activeElement?.dataset.conversation;
  $("list").replaceChildren(...parts);
  if (focused) $("list").querySelector(`[data-conversation="${CSS.escape(focused)}"]`)?.focus();
  const unread = conversations.reduce((sum, conversation) => sum + conversation.unread, 0);
  document.title = (unread ? `(${unread}) ` : "") + t("title");
}

function listEntry(conversation) {
  const last = conversation.items.at(-1);
  const entry = el("a", { className: "entry", href: `#${conversation.key}`, dataset: { conversation: conversation.key } },
    emblem(conversation),
    el("span", { className: "entry-name" }, conversation.name),
    last ? el("time", {}, clock(new Date(last.at))) : null,
    el("span", { className: "entry-last" }, last ? preview(last) : conversation.place ?? t("nothingYet")),
    conversation.unread ? el("span", { className: "unread", role: "img", "aria-label": t("unread", { n: conversation.unread }) }) : null);
  if (conversation === state.current) entry.setAttribute("aria-current", "page");
  return el("li", {}, entry);
}

function emblem(conversation) {
  if (conversation.scene === "channel") return el("span", { className: "avatar of-channel", "aria-hidden": "true" }, "#");
  return avatar(conversation.face ?? conversation);
}

function preview(item) {
  const text = item.content || (item.body?.image ? t("picture") : t("emptyMessage"));
  return text.slice(0, 240).replace(MARKER, nameOf).replace(/\s+/g, " ");
}

// ---------------------------------------------------------------- the log

export function showChat() {
  const conversation = state.current;
  document.body.dataset.view = conversation ? "chat" : "list";
  $("composer").hidden = !conversation;
  $("chat-name").textContent = conversation?.name ?? t("pick");
  $("chat-detail").textContent = conversation ? `${t(`${conversation.scene}Scene`, conversation)} · ${conversation.id}` : "";
  $("log").setAttribute("aria-busy", "true");
  $("log-content").replaceChildren();
  if (conversation?.items.length) conversation.items.forEach(append);
  else if (conversation) $("log-content").append(emptyState());
  goToEnd();
  $("log").setAttribute("aria-busy", "false");
}

// Shows an item that has just arrived in the open conversation.
export function showItem(item) {
  append(item);
  if (!stick) fresh += 1;
  showJump();
}

export function goToEnd() {
  stick = true;
  fresh = 0;
  $("log").scrollTop = state.current?.items.length ? $("log").scrollHeight : 0;
  showJump();
}

// Follows the conversation while the reader is at its end, and leaves a reader alone who is not.
export function followLog() {
  $("log").onscroll = () => {
    // Only a reader moves up; a picture that loads moves the end away.
    const { scrollTop, scrollHeight, clientHeight } = $("log");
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) stick = true;
    else if (scrollTop < scrolledTo) stick = false;
    scrolledTo = scrollTop;
    if (stick) fresh = 0;
    showJump();
  };
  const follow = new ResizeObserver(() => { if (stick) goToEnd(); });
  follow.observe($("log"));
  follow.observe($("log-content"));
}

function showJump() {
  $("jump").hidden = stick || !state.current;
  $("jump-text").textContent = fresh ? t("jump", { n: fresh }) : t("jumpPlain");
}

export function markOwn() {
  for (const node of $("log-content").querySelectorAll(".message")) {
    node.toggleAttribute("data-own", node.dataset.author === $("speaker").value);
  }
}

function append(item) {
  const log = $("log-content");
  log.querySelector(".empty")?.remove();
  const at = new Date(item.at);
  const before = log.lastElementChild;
  const sameDay = before && new Date(before.dataset.at).toDateString() === at.toDateString();
  if (!sameDay) log.append(el("p", { className: "day" }, day(at)));
  const run = sameDay && before.dataset.author === item.author.id && at - new Date(before.dataset.at) < RUN_GAP_MS;
  log.append(message(item, at, run));
  while (log.childElementCount > 2 * KEPT_PER_CONVERSATION) log.firstElementChild.remove();
}

function message(item, at, run) {
  const body = item.body ? requestBody(item.body) : null;
  const bubble = el("div", { className: "bubble" },
    quote(item),
    content(item),
    el("span", { className: "foot" }, body?.toggle, el("time", { dateTime: item.at, title: moment(at) }, clock(at))));
  const node = el("article", {
    className: run ? "message run" : "message",
    id: `message-${item.n}`,
    dataset: { author: item.author.id, at: item.at },
  },
    avatar(item.author),
    el("div", { className: "column" },
      el("header", {}, item.author.name, item.author.bot ? el("span", { className: "tag" }, t("bot")) : null),
      bubble,
      body?.text));
  node.toggleAttribute("data-bot", item.author.bot);
  node.toggleAttribute("data-own", item.author.id === $("speaker").value);
  return node;
}

function content(item) {
  const source = item.body?.markdown?.content;
  const parts = [];
  if (typeof source === "string") parts.push(markdown(source));
  else if (item.content.trim()) parts.push(el("p", { className: "text" }, ...inline(item.content.trim())));
  if (typeof item.body?.image === "string") parts.push(picture(item.body.image, t("picture")));
  if (!parts.length) parts.push(el("p", { className: "text muted" }, t("emptyMessage")));
  return el("div", { className: "content" }, ...parts);
}

function quote(item) {
  if (!item.reply_to) return null;
  const answered = state.byMessage.get(item.reply_to);
  if (!answered) return el("p", { className: "quote" }, t("quoteGone"));
  const { name } = answered.author;
  const text = preview(answered);
  const button = el("button", { type: "button", className: "quote", "aria-label": t("quoteOf", { name, text }) }, el("b", {}, name), text);
  button.onclick = () => {
    const target = $(`message-${answered.n}`);
    target?.scrollIntoView({ block: "nearest" });
    target?.animate([{ backgroundColor: "var(--flash)" }, { backgroundColor: "transparent" }], 1600);
  };
  return button;
}

// What the bot sent, exactly, behind a small switch.
function requestBody(body) {
  const text = el("pre", { className: "request-body", tabIndex: 0, hidden: true }, JSON.stringify(body, null, 2));
  const toggle = el("button", { type: "button", className: "body-toggle", title: t("requestBody"), "aria-label": t("requestBody"), "aria-expanded": "false" }, "{ }");
  toggle.onclick = () => {
    text.hidden = !text.hidden;
    toggle.setAttribute("aria-expanded", String(!text.hidden));
  };
  return { toggle, text };
}

function emptyState() {
  if (state.sessions === 0) {
    return el("div", { className: "empty" }, icon("bot"), el("h3", {}, t("emptyNoBot")), el("p", {}, t("emptyNoBotText")), connectCard());
  }
  const tries = ["!ping", "!help", t("hello")].map((text) => {
    const chip = el("button", { type: "button", className: "chip" }, text);
    chip.onclick = () => {
      $("text").value = text;
      $("text").dispatchEvent(new Event("input"));
      $("text").focus();
    };
    return chip;
  });
  return el("div", { className: "empty" }, icon("chat"), el("h3", {}, t("emptyTitle")), el("p", {}, t("emptyText")), el("div", { className: "tries" }, ...tries));
}
