// The emulator's chat page: people on this side, the bot under test on the other.
//
// Helpers come first, then what the page knows, what it shows, and last what moves it: the live
// stream, the address, the composer. Whatever a person or a bot wrote reaches the document as text
// nodes, never as markup.

const API = "/emulator/v1/";
const DEADLINE_MS = 10_000;
const RUN_GAP_MS = 3 * 60_000;
const NEAR_END_PX = 48;
const RETRY_MS = [500, 1000, 2000, 4000];
const HIDDEN_TAB_MS = 30_000;
const REFRESH_EVERY_MS = 2000;
const REFRESH_SOON_MS = 300;
const LIST_SOON_MS = 50;
const TRAIL_LENGTH = 20;
const VIOLATIONS_SHOWN = 100;
const SCENES = ["group", "c2c", "channel", "direct"];
const KEPT_PER_CONVERSATION = 500;
const FAULTS = {
  drop: { path: "gateway/drop", body: {}, name: "faultDrop" },
  reconnect: { path: "gateway/reconnect", body: {}, name: "faultReconnect" },
  "close-4009": { path: "gateway/close", body: { code: 4009 }, name: "faultClose" },
  "invalid-resumable": { path: "gateway/invalid-session", body: { resumable: true }, name: "faultResumable" },
  "invalid-session": { path: "gateway/invalid-session", body: { resumable: false }, name: "faultInvalid" },
};

const ROOM_FOR_TOOLS = matchMedia("(min-width: 1180px)");
const ROOM_FOR_LIST = matchMedia("(min-width: 720px)");

const $ = (id) => document.getElementById(id);

// ---------------------------------------------------------------- memory

// Private windows may refuse storage; the page then forgets, and works.
function saved(key) {
  try {
    return localStorage.getItem(`qq-emulator.${key}`);
  } catch {
    return null;
  }
}

function save(key, value) {
  try {
    localStorage.setItem(`qq-emulator.${key}`, value);
  } catch {
    // Forgotten on reload.
  }
}

// ---------------------------------------------------------------- words

const STRINGS = JSON.parse($("strings").textContent);
let language = saved("language") ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
if (!STRINGS[language]) language = "en";

function t(key, values = {}) {
  return STRINGS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  save("language", language);
}

// Translates everything that is written in the document itself.
function translateDocument() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
}

const locale = () => (language === "zh" ? "zh-CN" : "en-GB");
const clock = (date) => date.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
const clockExact = (date) => date.toLocaleTimeString(locale());
const day = (date) => date.toLocaleDateString(locale(), { weekday: "long", day: "numeric", month: "long" });
const moment = (date) => date.toLocaleString(locale());

// ---------------------------------------------------------------- elements

function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "role" || name.startsWith("aria-")) node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child != null && child !== ""));
  return node;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

function avatar(person) {
  let hue = 0;
  for (const letter of person.name) hue = (hue * 31 + letter.codePointAt(0)) % 8;
  const face = person.bot ? icon("bot") : [...person.name, "?"][0].toUpperCase();
  return el("span", { className: `avatar hue-${hue}${person.bot ? " of-bot" : ""}`, "aria-hidden": "true" }, face);
}

// The address if it is one that a page may open, else null: no javascript:, data: or file:.
function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

function link(address, text) {
  const url = webAddress(address);
  return url ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text) : text;
}

function picture(address, name) {
  const url = webAddress(address);
  if (!url) return name || address;
  const image = el("img", { src: url, alt: name });
  image.onerror = () => image.replaceWith(link(url, name || url));
  return image;
}

function copyButton(what, value) {
  const button = el("button", { type: "button", className: "icon-button", "aria-label": t("copy", { what }) }, icon("copy"));
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(value);
      button.replaceChildren(icon("check"));
      setTimeout(() => button.replaceChildren(icon("copy")), 1500);
    } catch (error) {
      toast(t("copyFailed", { cause: error.message }));
    }
  };
  return button;
}

function toast(text, kind = "error") {
  const close = el("button", { type: "button", className: "icon-button", "aria-label": t("dismiss") }, icon("close"));
  const box = el("div", { className: `toast ${kind}`, role: kind === "error" ? "alert" : "status" }, el("p", {}, text), close);
  close.onclick = () => box.remove();
  for (const other of [...$("toasts").children]) if (other.textContent === text) other.remove();
  $("toasts").append(box);
  while ($("toasts").children.length > 3) $("toasts").firstElementChild.remove();
  setTimeout(() => box.remove(), kind === "error" ? 12_000 : 5000);
}

// ---------------------------------------------------------------- the control API

// GET without a body, POST with one. Throws an error whose message names the cause.
async function call(path, body) {
  const post = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  let response;
  let text;
  try {
    response = await fetch(API + path, { ...(body === undefined ? {} : post), signal: AbortSignal.timeout(DEADLINE_MS) });
    text = await response.text();
  } catch {
    throw new Error(t("unreachable"));
  }
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    if (response.ok && text) throw new Error(t("notJson"));
  }
  if (!response.ok) throw new Error(answer?.error ?? `HTTP ${response.status}`);
  return answer;
}

// ---------------------------------------------------------------- what the page knows

const state = {
  world: null,
  conversations: new Map(), // by "scene/id": { key, scene, id, name, place, face, speakers, items, unread }
  byMessage: new Map(), // timeline items by message id
  last: 0, // number of the newest timeline item
  current: null, // the conversation on the screen
  link: "waiting", // "waiting", "live" or "offline"
  sessions: null, // connected gateway sessions; null until the server said so
  violations: [],
};

const keyOf = (scene, id) => encodeURI(`${scene}/${id}`); // as the address shows it

// The emulator calls people by openid in groups and C2C, by user id on the guild side.
function conversationsOf(world) {
  const byOpenid = (user) => ({ id: user.openid, name: user.name });
  const byId = (user) => ({ id: user.id, name: user.name });
  const groups = world.groups.map((group) => ({
    scene: "group",
    id: group.id,
    name: group.name,
    speakers: world.users.filter((user) => group.members.some((member) => member.openid === user.openid)).map(byOpenid),
  }));
  const c2c = world.users.map((user) => ({ scene: "c2c", id: user.openid, name: user.name, face: user, speakers: [byOpenid(user)] }));
  const channels = world.guilds.flatMap((guild) => guild.channels.filter((channel) => channel.type === 0).map((channel) => ({
    scene: "channel",
    id: channel.id,
    name: channel.name,
    place: guild.name,
    speakers: world.users.filter((user) => guild.members.some((member) => member.user_id === user.id)).map(byId),
  })));
  const direct = world.direct.flatMap((one) => world.users.filter((user) => user.id === one.user_id).map((user) => ({
    scene: "direct",
    id: one.guild_id,
    name: user.name,
    face: user,
    speakers: [byId(user)],
  })));
  return [...groups, ...c2c, ...channels, ...direct];
}

function add(entry) {
  const conversation = { ...entry, key: keyOf(entry.scene, entry.id), items: [], unread: 0 };
  state.conversations.set(conversation.key, conversation);
  return conversation;
}

function replaceWorld(world) {
  state.world = world;
  state.last = 0;
  state.current = null;
  state.conversations.clear();
  state.byMessage.clear();
  conversationsOf(world).forEach(add);
}

// Whether the server still tells the story that this page knows; a restarted one begins anew.
function continues(world, timeline) {
  if (JSON.stringify(world) !== JSON.stringify(state.world)) return false;
  if (state.last === 0) return true;
  const known = timeline.items.find((item) => item.n === state.last);
  return known !== undefined && state.byMessage.get(known.message_id)?.at === known.at;
}

// Files an item under its conversation, the oldest ones leaving. A message may come from a place
// that the world does not list.
function keep(item) {
  state.last = item.n;
  state.byMessage.set(item.message_id, item);
  const conversation = state.conversations.get(keyOf(item.scene, item.conversation))
    ?? add({ scene: item.scene, id: item.conversation, name: item.conversation, speakers: [] });
  conversation.items.push(item);
  if (conversation.items.length > KEPT_PER_CONVERSATION) state.byMessage.delete(conversation.items.shift().message_id);
  return conversation;
}

// The name behind a marker in a text: <@id>, <@!id> or <#id>.
function nameOf(marker) {
  if (marker === "@everyone") return marker;
  const id = marker.replace(/[<@!#>]/g, "");
  if (marker.startsWith("<#")) return `#${state.conversations.get(keyOf("channel", id))?.name ?? id}`;
  const everyone = [...state.world.users, ...state.world.bots];
  return `@${everyone.find((one) => one.id === id || one.openid === id)?.name ?? id}`;
}

// ---------------------------------------------------------------- markdown, as elements

const MARKER = /(<@!?\w+>|<#\d+>|@everyone)/g;

// A text with the platform's markers for people and channels.
function inline(text) {
  return text.split(MARKER).map((part, index) => (index % 2 ? el("span", { className: "mention" }, nameOf(part)) : part));
}

// The leftmost match wins; of two at one place, the first of this table.
const SPANS = [
  [/`([^`]+)`/, (m) => el("code", {}, m[1])],
  [/!\[([^\]]*?)(?:\s+#\d+px\s+#\d+px)?\]\(((?:[^()\s]|\([^()\s]*\))+)\)/, (m) => picture(m[2], m[1])],
  [/\[([^\]]+)\]\(((?:[^()\s]|\([^()\s]*\))+)\)/, (m) => link(m[2], m[1])],
  [/<(https?:[^>\s]+)>/, (m) => link(m[1], m[1])],
  [/\*\*(.+?)\*\*|__(.+?)__/, (m) => el("strong", {}, ...spans(m[1] ?? m[2]))],
  [/~~(.+?)~~/, (m) => el("s", {}, ...spans(m[1]))],
  [/\*([^*\s][^*]*)\*|(?<!\w)_([^_]+)_(?!\w)/, (m) => el("em", {}, ...spans(m[1] ?? m[2]))],
];

function spans(text) {
  const nodes = [];
  let rest = text;
  while (rest) {
    let first = null;
    for (const [pattern, build] of SPANS) {
      const match = pattern.exec(rest);
      if (match && (!first || match.index < first.match.index)) first = { match, build };
    }
    if (!first) break;
    nodes.push(...inline(rest.slice(0, first.match.index)), first.build(first.match));
    rest = rest.slice(first.match.index + first.match[0].length);
  }
  return [...nodes, ...inline(rest)];
}

const lines = (rows) => rows.flatMap((row, index) => (index ? [el("br"), ...spans(row)] : spans(row)));
const items = (rows) => rows.map((row) => el("li", {}, ...spans(row)));

const RULE = /^\s*([*_-])(\s*\1){2,}\s*$/;
const BULLET = /^\s*[-*+]\s+/;
const NUMBER = /^\s*\d+[.)]\s+/;
const QUOTE = /^>\s?/;

function takeWhile(rows, marker) {
  const taken = [];
  while (rows.length && marker.test(rows[0])) taken.push(rows.shift().replace(marker, ""));
  return taken;
}

function codeBlock(rows) {
  rows.shift();
  const end = rows.findIndex((row) => row.startsWith("```"));
  const code = rows.splice(0, end < 0 ? rows.length : end);
  rows.shift();
  return el("pre", { tabIndex: 0 }, code.join("\n"));
}

function heading(rows) {
  const [, marks, text] = /^(#+)\s+(.*)$/.exec(rows.shift());
  return el("p", { className: `heading level-${marks.length}`, role: "heading", "aria-level": marks.length }, ...spans(text));
}

// Each block takes the rows it wants from the front.
const BLOCKS = [
  [/^```/, codeBlock],
  [/^#{1,6}\s+/, heading],
  [RULE, (rows) => { rows.shift(); return el("hr"); }],
  [QUOTE, (rows) => el("blockquote", {}, ...lines(takeWhile(rows, QUOTE)))],
  [BULLET, (rows) => el("ul", {}, ...items(takeWhile(rows, BULLET)))],
  [NUMBER, (rows) => el("ol", { start: parseInt(rows[0], 10) }, ...items(takeWhile(rows, NUMBER)))],
];

const blockOf = (row) => BLOCKS.find(([start]) => start.test(row))?.[1];

function markdown(source) {
  const rows = source.split(/\r?\n/);
  const blocks = [];
  while (rows.length) {
    const build = blockOf(rows[0]);
    if (build) {
      blocks.push(build(rows));
    } else if (rows[0].trim()) {
      const paragraph = [];
      while (rows.length && rows[0].trim() && !blockOf(rows[0])) paragraph.push(rows.shift());
      blocks.push(el("p", {}, ...lines(paragraph)));
    } else {
      rows.shift();
    }
  }
  return el("div", { className: "markdown" }, ...blocks);
}

// ---------------------------------------------------------------- the list

let stick = true; // the reader is at the end of the log
let scrolledTo = 0;
let fresh = 0; // messages that arrived while the reader was not

// Links stay the same elements while what they show changes: a click that began on one ends on it.
function showList() {
  let unread = 0;
  for (const scene of SCENES) {
    const conversations = [...state.conversations.values()].filter((conversation) => conversation.scene === scene);
    const list = $(`list-${scene}`);
    list.parentElement.hidden = !conversations.length;
    const links = [...list.querySelectorAll("a")];
    if (conversations.length !== links.length || conversations.some(({ key }, index) => links[index].dataset.conversation !== key)) {
      list.replaceChildren(...conversations.map(({ key }) => el("li", {}, el("a", { className: "entry", href: `#${key}`, dataset: { conversation: key } }))));
    }
    conversations.forEach((conversation, index) => showEntry(list.children[index].firstElementChild, conversation));
    unread += conversations.reduce((sum, conversation) => sum + conversation.unread, 0);
  }
  document.title = (unread ? `(${unread}) ` : "") + t("title");
}

function showEntry(link, conversation) {
  const last = conversation.items.at(-1);
  link.replaceChildren(...[
    emblem(conversation),
    el("span", { className: "entry-name" }, conversation.name),
    last ? el("time", {}, clock(new Date(last.at))) : "",
    el("span", { className: "entry-last" }, last ? preview(last) : conversation.place ?? t("nothingYet")),
    conversation.unread ? el("span", { className: "unread", role: "img", "aria-label": t("unread", { n: conversation.unread }) }) : "",
  ]);
  if (conversation === state.current) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
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

function showChat() {
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
function showItem(item) {
  append(item);
  if (!stick) fresh += 1;
  showJump();
}

function goToEnd() {
  stick = true;
  fresh = 0;
  $("log").scrollTop = state.current?.items.length ? $("log").scrollHeight : 0;
  scrolledTo = $("log").scrollTop;
  showJump();
}

// Follows the conversation while the reader is at its end, and leaves a reader alone who is not.
function followLog() {
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
  // The browser holds the place of a reader; nobody else has one.
  $("log").style.overflowAnchor = stick ? "none" : "auto";
  $("jump").hidden = stick || !state.current;
  $("jump-text").textContent = fresh ? t("jump", { n: fresh }) : t("jumpPlain");
}

function markOwn() {
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
  while (log.childElementCount > KEPT_PER_CONVERSATION) log.firstElementChild.remove();
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
  const button = el("button", { type: "button", className: "quote", "aria-label": t("quoteOf", { name, text }) }, el("b", {}, name), " ", text);
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

// ---------------------------------------------------------------- the bot

let lostAt = null; // when a fault was pressed or the bot was seen gone
let held = null; // the connected sessions as last seen, null after a loss

function setLink(link) {
  state.link = link;
  showStatus();
}

// Takes the number of connected sessions; answers whether a bot came or went.
function setSessions(count) {
  const before = state.sessions;
  state.sessions = count;
  showStatus();
  if (before === null || (before > 0) === (count > 0)) return before === null;
  held = null;
  if (count === 0) {
    lostAt ??= performance.now();
    trail(t("lost"), "bad");
  } else {
    cameBack();
  }
  return true;
}

function cameBack() {
  if (lostAt === null) {
    trail(t("online"), "good");
    return;
  }
  const ms = Math.ceil(performance.now() - lostAt);
  const words = t("returned", { time: ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s` });
  trail(words, "good");
  toast(words, "good");
  lostAt = null;
}

function showStatus() {
  const word = state.link === "live" ? (state.sessions ? "connected" : "disconnected") : state.link;
  const words = word === "connected" && state.sessions > 1 ? t("connectedMany", { n: state.sessions }) : t(word);
  for (const status of document.querySelectorAll(".status")) {
    status.dataset.state = word;
    status.querySelector(".status-text").textContent = words;
  }
  showNotice();
}

// The line above the composer that says why nobody will answer.
function showNotice() {
  const noBot = state.sessions === 0 && state.current?.items.length > 0;
  const key = state.link === "offline" ? "linkLost" : noBot ? "noBot" : null;
  $("notice").hidden = !key;
  $("notice-help").hidden = key !== "noBot";
  if (key) $("notice-text").textContent = t(key);
}

function connectCard() {
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
    lostAt = performance.now();
    const { connections } = await call(path, body);
    if (!connections) throw new Error(t("nobodyHit"));
    refreshSoon();
  } catch (error) {
    lostAt = null;
    toast(t("failed", { what: t(name), cause: error.message }));
  }
}

function trail(text, kind) {
  $("trail").prepend(el("li", { className: kind }, el("time", {}, clockExact(new Date())), text));
  while ($("trail").children.length > TRAIL_LENGTH) $("trail").lastElementChild.remove();
}

function showViolations(violations) {
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

function showSessions(sessions) {
  // A bot may be back before anybody saw it gone.
  const now = sessions.filter((session) => session.connected).map(({ id, resumes }) => `${id} ${resumes}`).join();
  if (held && now && now !== held) cameBack();
  held = now;
  $("sessions-hint").hidden = sessions.length > 0;
  $("sessions").replaceChildren(...sessions.map((session) => el("li", { className: session.connected ? "good" : "bad" },
    el("b", {}, t(session.connected ? "sessionLive" : "sessionGone")),
    el("code", {}, session.id),
    el("span", {}, t("sessionDetail", { index: session.shard[0], count: session.shard[1], intents: session.intents, seq: session.last_seq, resumes: session.resumes })))));
}

function showTools(open) {
  $("tools").hidden = !open;
  $("backdrop").hidden = !open;
  $("tools-toggle").setAttribute("aria-expanded", String(open));
  document.body.toggleAttribute("data-tools", open);
  // Where the panel covers the page, the keyboard stays in the panel.
  $("sidebar").inert = $("chat").inert = open && !ROOM_FOR_TOOLS.matches;
  save("tools", open ? "open" : "closed");
}

function listenToTools() {
  const close = () => {
    showTools(false);
    $("tools-toggle").focus();
  };
  $("tools-toggle").onclick = () => {
    showTools($("tools").hidden);
    if (!$("tools").hidden) $("tools-heading").focus();
  };
  $("tools-close").onclick = close;
  ROOM_FOR_TOOLS.onchange = () => showTools(!$("tools").hidden);
  $("backdrop").onclick = close;
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !$("tools").hidden) close(); });
  $("notice-help").onclick = () => {
    showTools(true);
    $("connect").scrollIntoView();
    $("connect").querySelector("button").focus();
  };
  for (const button of document.querySelectorAll("[data-fault]")) button.onclick = () => press(button.dataset.fault);
}

// ---------------------------------------------------------------- the live stream

let stream = null;
let attempts = 0;
let retryTimer = null;
let refreshTimer = null;
let sessionEvents = 0;
let listTimer = null;

// Reads what was said, then follows. Reading again after every loss lets a page outlive its server:
// a restarted one begins its count anew.
async function connect() {
  disconnect();
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
  } catch (error) {
    console.warn(error);
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
  source.addEventListener("message", (event) => {
    const item = JSON.parse(event.data);
    // A reset emulator begins its count anew.
    if (item.n > state.last) receive(item);
    else connect();
  });
  source.addEventListener("session", (event) => {
    sessionEvents += 1;
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
  // Once for many: a bot may be flooded.
  listTimer ??= setTimeout(() => {
    listTimer = null;
    showList();
  }, LIST_SOON_MS);
  showNotice();
  refreshSoon();
}

function sessionsAre(count) {
  if (setSessions(count) && state.current && !state.current.items.length) showChat();
}

function refreshSoon() {
  refreshTimer ??= setTimeout(() => {
    refreshTimer = null;
    refresh();
  }, REFRESH_SOON_MS);
}

async function refresh() {
  if (state.link !== "live") return;
  try {
    const asked = state.last;
    const seen = sessionEvents;
    const [violations, sessions, timeline] = await Promise.all([call("violations"), call("sessions"), call(`timeline?after=${asked}`)]);
    // A reset, and nobody has said a word since.
    if (timeline.last < asked) connect();
    showViolations(violations);
    // An answer older than the latest event is no news.
    if (seen !== sessionEvents) return;
    sessionsAre(sessions.filter((session) => session.connected).length);
    showSessions(sessions);
  } catch {
    // A lost server ends the live stream too, and that is where it is shown.
  }
}

// ---------------------------------------------------------------- the address

const drafts = new Map(); // what is typed and not sent, by conversation
let openKey;

// The address names the open conversation: links, the back button and reloads all work.
function route() {
  const chosen = state.conversations.get(location.hash.slice(1)) ?? (ROOM_FOR_LIST.matches ? [...state.conversations.values()][0] : null) ?? null;
  if (chosen && !location.hash) history.replaceState(null, "", `#${chosen.key}`);
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
  if (!conversation || !content || sending) return;
  const body = { scene: conversation.scene, conversation: conversation.id, author: $("speaker").value || undefined, content };
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
for (const [target, change] of [[window, "hashchange"], [ROOM_FOR_LIST, "change"]]) {
  target.addEventListener(change, () => { if (state.world) route(); });
}
setInterval(() => { if (!document.hidden) refresh(); }, REFRESH_EVERY_MS);

translate();
fit();
followLog();
listenToComposer();
listenToTools();
listenToVisibility();
if (saved("tools") === "open" && ROOM_FOR_TOOLS.matches) showTools(true);
connect();
