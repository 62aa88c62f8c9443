// The emulator's chat page: people on this side, the bot under test on the other.
//
// Here is what moves it: the live stream, the address, the composer. What it shows is in chat.js
// and tools.js.

import { followLog, goToEnd, markOwn, showChat, showItem, showList } from "./chat.js";
import { $, el, save, saved, switchLanguage, t, toast, translateDocument } from "./dom.js";
import { API, call } from "./server.js";
import { continues, keep, replaceWorld, state } from "./state.js";
import { connectCard, listenToTools, setLink, setSessions, showNotice, showSessions, showStatus, showTools, showViolations } from "./tools.js";

const RETRY_MS = [500, 1000, 2000, 4000];
const HIDDEN_TAB_MS = 30_000;
const REFRESH_EVERY_MS = 5000;
const REFRESH_SOON_MS = 300;

// ---------------------------------------------------------------- the live stream

let stream = null;
let attempts = 0;
let retryTimer = null;
let refreshTimer = null;

// Reads what was said, then follows. Reading again after every loss lets a page outlive its server:
// a restarted one begins its count anew.
async function connect() {
  clearTimeout(retryTimer);
  const source = stream = {};
  try {
    const [world, timeline] = await Promise.all([call("world"), call("timeline?after=0")]);
    if (source !== stream) return;
    if (continues(world, timeline)) {
      timeline.items.forEach(receive);
    } else {
      replaceWorld(world);
      timeline.items.forEach(keep);
      $("connect").replaceChildren(connectCard());
      route();
    }
  } catch {
    if (source === stream) retry();
    return;
  }
  follow();
}

function follow() {
  const source = stream = new EventSource(`${API}live?after=${state.last}`);
  source.onopen = () => {
    attempts = 0;
    setLink("live");
    refresh();
  };
  source.onerror = () => {
    source.close();
    if (source === stream) retry();
  };
  source.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  source.addEventListener("session", (event) => {
    const { connected, sessions } = JSON.parse(event.data);
    sessionsAre(connected ? sessions : 0);
    refreshSoon();
  });
}

function retry() {
  setLink("offline");
  retryTimer = setTimeout(connect, RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)]);
}

function disconnect() {
  clearTimeout(retryTimer);
  stream?.close?.();
  stream = null;
}

function receive(item) {
  if (item.n <= state.last) return;
  const conversation = keep(item);
  const shown = conversation === state.current;
  if (shown) showItem(item);
  if (!shown || document.hidden) conversation.unread += 1;
  showList();
  showNotice();
  refreshSoon();
}

function sessionsAre(count) {
  if (setSessions(count) && state.current && !state.current.items.length) showChat();
}

function refreshSoon() {
  clearTimeout(refreshTimer);
  refreshTimer = setTimeout(refresh, REFRESH_SOON_MS);
}

async function refresh() {
  if (state.link !== "live") return;
  try {
    const [violations, sessions] = await Promise.all([call("violations"), call("sessions")]);
    showViolations(violations);
    showSessions(sessions);
    sessionsAre(sessions.filter((session) => session.connected).length);
  } catch {
    // A lost server ends the live stream too, and that is where it is shown.
  }
}

// ---------------------------------------------------------------- the address

const drafts = new Map(); // what is typed and not sent, by conversation
let openKey;

// The address names the open conversation: links, the back button and reloads all work.
function route() {
  const wide = matchMedia("(min-width: 720px)").matches;
  const key = decodeURIComponent(location.hash.slice(1));
  const chosen = state.conversations.get(key) ?? (wide ? [...state.conversations.values()][0] : null) ?? null;
  if (chosen?.key !== openKey) {
    drafts.set(openKey, $("text").value);
    openKey = chosen?.key;
    $("text").value = drafts.get(openKey) ?? "";
  }
  state.current = chosen;
  if (chosen) {
    chosen.unread = 0;
    showSpeakers();
  }
  showList();
  showChat();
  showNotice();
  fit();
  if (chosen && matchMedia("(hover: hover)").matches) $("text").focus({ preventScroll: true });
}

function step(by) {
  const keys = [...state.conversations.keys()];
  const at = keys.indexOf(state.current?.key);
  location.hash = keys[(at + by + keys.length) % keys.length];
}

// ---------------------------------------------------------------- the composer

let sending = false;

function showSpeakers() {
  const { key, scene, speakers } = state.current;
  const wanted = saved(`speaker.${key}`);
  $("speaker").replaceChildren(...speakers.map((user) => el("option", { value: user.id }, user.name)));
  if (speakers.some((user) => user.id === wanted)) $("speaker").value = wanted;
  $("speaker").disabled = speakers.length < 2;
  $("mention-chip").hidden = scene !== "group" && scene !== "channel";
  $("mention").checked = saved(`mention.${scene}`) !== "no";
}

function fit() {
  const box = $("text");
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
  $("send").disabled = !box.value.trim();
}

async function send() {
  const conversation = state.current;
  const content = $("text").value.trim();
  if (!content || sending) return;
  const body = { scene: conversation.scene, conversation: conversation.id, author: $("speaker").value, content };
  if (!$("mention-chip").hidden) body.mention_bot = $("mention").checked;
  sending = true;
  try {
    await call("messages", body);
    if (conversation.key !== openKey) drafts.delete(conversation.key);
    else if ($("text").value.trim() === content) $("text").value = "";
    goToEnd();
  } catch (error) {
    toast(t("failed", { what: t("send"), cause: error.message }));
  }
  sending = false;
  fit();
}

function listenToComposer() {
  $("composer").onsubmit = (event) => {
    event.preventDefault();
    send();
  };
  $("text").oninput = fit;
  $("text").onkeydown = (event) => {
    // While an input method composes, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  $("speaker").onchange = () => {
    save(`speaker.${state.current.key}`, $("speaker").value);
    markOwn();
  };
  $("mention").onchange = () => save(`mention.${state.current.scene}`, $("mention").checked ? "yes" : "no");
  $("jump").onclick = () => {
    goToEnd();
    $("text").focus();
  };
}

// ---------------------------------------------------------------- the page

function translate() {
  translateDocument();
  showStatus();
  showViolations(state.violations);
  if (!state.world) return;
  $("connect").replaceChildren(connectCard());
  showList();
  showChat();
  refresh();
}

// A browser allows six connections to one server: a tab that nobody looks at gives its own back.
function listenToVisibility() {
  let timer = null;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = setTimeout(disconnect, HIDDEN_TAB_MS);
      return;
    }
    if (!stream) connect();
    if (state.current) state.current.unread = 0;
    showList();
  });
}

$("language").onclick = () => {
  switchLanguage();
  translate();
};
document.addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!event.altKey || !by || !state.world) return;
  event.preventDefault();
  step(by);
});
window.addEventListener("hashchange", () => { if (state.world) route(); });
setInterval(() => { if (!document.hidden) refresh(); }, REFRESH_EVERY_MS);

translate();
fit();
followLog();
listenToComposer();
listenToTools();
listenToVisibility();
if (saved("tools") === "open" && matchMedia("(min-width: 1180px)").matches) showTools(true);
connect();
