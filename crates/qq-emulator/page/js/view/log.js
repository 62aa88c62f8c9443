// The messages of the open conversation. The document holds a window of them: scrolling moves it,
// so that thousands cost no more than dozens.

import { $, el, soon } from "../dom.js";
import { on } from "../bus.js";
import { state } from "../store.js";
import { day, t } from "../words.js";
import { emptyState } from "./empty.js";
import { message, nodeId, refresh, runs } from "./message.js";
import { preview } from "./preview.js";

const WINDOW = 120; // messages in the document, at most
const STEP = 40; // moved at once
const NEAR_PX = 600; // from where the window moves
const END_PX = 48; // that counts as being at the end

let shown = null; // the conversation in the document
let start = 0; // the window, as places in its items
let end = 0;
let stick = true; // the reader is at the end and follows
let scrolledTo = 0;
let fresh = 0; // messages that came while the reader was elsewhere
const changed = new Set(); // items to be shown anew

export function startLog() {
  on("opened", () => soon("log", openLog));
  on("language", () => soon("log", openLog));
  on("begun", () => soon("log", openLog));
  on("item", ({ item, home, fresh: isNew }) => {
    if (home !== state.current) return;
    if (isNew) {
      if (!stick) fresh += 1;
      if (state.ready && home === shown) announce(item);
    } else changed.add(item);
    soon("log-items", showItems);
  });
  on("item-gone", ({ item, home }) => {
    if (home !== shown) return;
    document.getElementById(nodeId(item))?.remove();
    soon("log", openLog);
  });
  on("trimmed", ({ home, count }) => {
    if (home !== shown) return;
    const inSight = start < count;
    start = Math.max(0, start - count);
    end = Math.max(0, end - count);
    if (inSight) soon("log", openLog);
  });
  on("speaker-changed", () => {
    for (const item of (shown?.items ?? []).slice(start, end)) changed.add(item);
    soon("log-items", showItems);
  });
  on("typing-changed", () => soon("typing", showTyping));
  on("sessions-changed", () => { if (shown && !shown.items.length) soon("log", openLog); });
  followReader();
  $("jump").onclick = () => {
    goToEnd();
    $("log").focus({ preventScroll: true });
  };
  $("log-content").addEventListener("click", (event) => {
    const quote = event.target.closest("button.quote");
    if (quote) goTo(quote.dataset.of);
  });
  $("log").onkeydown = walk;
}

// ---- the window

function openLog() {
  const other = shown !== state.current;
  shown = state.current;
  changed.clear();
  if (other) stick = true;
  end = shown?.items.length ?? 0;
  start = Math.max(0, end - WINDOW);
  $("log-content").replaceChildren();
  if (!shown) return;
  if (shown.items.length) {
    fill(start, end);
    showTyping();
  } else {
    $("log-content").append(emptyState());
  }
  if (other || stick) goToEnd();
  showJump();
}

// Appends the items of a range, with the days between them.
function fill(from, to) {
  const nodes = [];
  for (let place = from; place < to; place += 1) nodes.push(...nodesAt(place));
  $("log-content").append(...nodes);
}

function nodesAt(place) {
  const { items } = shown;
  const [item, before] = [items[place], items[place - 1]];
  const at = new Date(item.at);
  const newDay = !before || new Date(before.at).toDateString() !== at.toDateString();
  const nodes = newDay ? [el("p", { className: "day", dataset: { before: item.message_id } }, day(at))] : [];
  nodes.push(message(item, runs(before, item), shown));
  return nodes;
}

function showItems() {
  if (!shown || shown !== state.current) return;
  for (const item of changed) {
    const node = document.getElementById(nodeId(item));
    if (node) refresh(node, item, shown);
  }
  changed.clear();
  const { length } = shown.items;
  if (end > length) return openLog();
  if (stick && length > end) {
    $("log-content").querySelector(".empty")?.remove();
    $("typing")?.remove();
    // Far behind: begin at the end instead of building what nobody sees.
    if (length - end > WINDOW) {
      $("log-content").replaceChildren();
      end = length;
      start = end - WINDOW;
      fill(start, end);
    } else {
      fill(end, length);
      end = length;
      cutTop();
    }
    goToEnd();
  }
  showTyping();
  showJump();
}

// Takes away what is beyond the window, with the marks of days that go with it.
function cutTop() {
  while (end - start > WINDOW) {
    document.getElementById(nodeId(shown.items[start]))?.remove();
    start += 1;
  }
  const first = $("log-content").firstElementChild;
  if (first?.matches(".day") && !first.nextElementSibling?.matches(".message")) first.remove();
}

function cutBottom() {
  while (end - start > WINDOW) {
    end -= 1;
    const node = document.getElementById(nodeId(shown.items[end]));
    const mark = node?.previousElementSibling;
    node?.remove();
    if (mark?.matches(".day")) mark.remove();
  }
}

// Moves the window while the reader stays where the reader is.
function moveWindow() {
  const log = $("log");
  if (!shown?.items.length) return;
  const below = log.scrollHeight - log.scrollTop - log.clientHeight;
  if (log.scrollTop < NEAR_PX && start > 0) {
    const kept = $("log-content").querySelector(".message");
    const top = kept.getBoundingClientRect().top;
    const from = Math.max(0, start - STEP);
    const nodes = [];
    for (let place = from; place < start; place += 1) nodes.push(...nodesAt(place));
    $("log-content").prepend(...nodes);
    start = from;
    // The first one of before may go on the run of the one that is above it now.
    cutBottom();
    log.scrollTop += kept.getBoundingClientRect().top - top;
  } else if (below < NEAR_PX && end < shown.items.length && !stick) {
    const to = Math.min(shown.items.length, end + STEP);
    $("typing")?.remove();
    fill(end, to);
    end = to;
    const kept = document.getElementById(nodeId(shown.items[end - 1]));
    const top = kept.getBoundingClientRect().top;
    cutTop();
    log.scrollTop += kept.getBoundingClientRect().top - top;
  } else return;
  scrolledTo = log.scrollTop;
}

// ---- the reader

function followReader() {
  const log = $("log");
  log.onscroll = () => {
    // Only a reader moves up; a picture that loads moves the end away.
    const { scrollTop, scrollHeight, clientHeight } = log;
    const atEnd = scrollHeight - scrollTop - clientHeight < END_PX && end === (shown?.items.length ?? 0);
    if (atEnd) stick = true;
    else if (scrollTop < scrolledTo) stick = false;
    scrolledTo = scrollTop;
    if (stick) fresh = 0;
    moveWindow();
    showJump();
  };
  const follow = new ResizeObserver(() => { if (stick) toBottom(); });
  follow.observe(log);
  follow.observe($("log-content"));
}

function toBottom() {
  $("log").scrollTop = shown?.items.length ? $("log").scrollHeight : 0;
  scrolledTo = $("log").scrollTop;
}

export function goToEnd() {
  stick = true;
  fresh = 0;
  if (shown && end < shown.items.length) {
    end = shown.items.length;
    start = Math.max(0, end - WINDOW);
    $("log-content").replaceChildren();
    fill(start, end);
    showTyping();
  }
  toBottom();
  showJump();
}

function goTo(id) {
  const place = shown.items.findIndex((item) => item.message_id === id);
  if (place < 0) return;
  if (place < start || place >= end) {
    start = Math.max(0, place - WINDOW / 2);
    end = Math.min(shown.items.length, start + WINDOW);
    $("log-content").replaceChildren();
    fill(start, end);
  }
  const node = document.getElementById(nodeId(shown.items[place]));
  stick = false;
  node.scrollIntoView({ block: "center" });
  scrolledTo = $("log").scrollTop;
  node.focus({ preventScroll: true });
  node.classList.remove("flash");
  requestAnimationFrame(() => node.classList.add("flash"));
  showJump();
}

function showJump() {
  // Unless the reader follows, the browser keeps the place.
  $("log").classList.toggle("following", stick);
  $("jump").hidden = stick || !shown;
  $("jump-text").textContent = fresh ? t("jump", { n: fresh }) : t("jumpPlain");
}

// Up and down move between messages.
function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const at = event.target.closest?.(".message");
  const nodes = [...$("log-content").querySelectorAll(".message")];
  if (event.key === "Home" || event.key === "End") return;
  if (!step || event.altKey || event.target.matches("input, textarea, video, audio") || !nodes.length) return;
  const next = at ? nodes[nodes.indexOf(at) + step] : nodes.at(-1);
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

// ---- what is said aloud

function announce(item) {
  if (item.streaming) return;
  soon("announce", () => { $("announcer").textContent = `${item.author.name}: ${preview(item)}`; });
}

let typingTimer = null;

function showTyping() {
  clearTimeout(typingTimer);
  const left = (shown?.typing ?? 0) - Date.now();
  const known = $("typing");
  if (left <= 0 || end < (shown?.items.length ?? 0)) {
    known?.remove();
    return;
  }
  typingTimer = setTimeout(() => soon("typing", showTyping), left + 20);
  if (known) return;
  $("log-content").append(el("p", { id: "typing", className: "typing", role: "status" }, el("span", { className: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")), t("typingOf", { name: state.world.bots[0]?.name ?? t("bot") })));
  if (stick) toBottom();
}
