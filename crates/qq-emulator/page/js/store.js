// What the page knows: people, conversations, messages. It only takes in events and answers
// questions; what is shown is made from it elsewhere.

import { emit, on } from "./bus.js";
import { get } from "./api.js";

export const SCENES = ["group", "c2c", "channel", "direct"];
const KEPT_PER_CONVERSATION = 5000;
const TRIMMED_AT_ONCE = 500;

export const state = {
  world: { bots: [], users: [], groups: [], guilds: [], direct: [] },
  conversations: new Map(), // by key: { key, scene, id, name, place, face, speakers, items, unread, typing }
  messages: new Map(), // timeline items by message id
  indexes: new Map(), // message ids by the index that quotes use
  sessions: null, // gateway sessions; null until the emulator said so
  link: "waiting", // "waiting", "live" or "offline"
  current: null, // the conversation on the screen
  ready: false,
};

export const keyOf = (scene, id) => encodeURI(`${scene}/${id}`);
export const connected = () => (state.sessions ?? []).filter((session) => session.connected);

// ---- people and places

function conversationsOf(world) {
  const byOpenid = (user, role) => ({ id: user.openid, name: user.name, role });
  const byId = (user, roles) => ({ id: user.id, name: user.name, role: roles.includes("4") ? "owner" : roles.includes("2") ? "admin" : "member", roles });
  const own = (user, id) => ({ id, name: user.name, role: "member" });
  const groups = world.groups.map((group) => ({
    scene: "group",
    id: group.id,
    name: group.name,
    speakers: group.members.flatMap((member) => world.users.filter((user) => user.openid === member.openid).map((user) => byOpenid(user, member.role))),
  }));
  const c2c = world.users.map((user) => ({ scene: "c2c", id: user.openid, name: user.name, face: user, speakers: [own(user, user.openid)] }));
  const channels = world.guilds.flatMap((guild) => guild.channels.filter((channel) => channel.type === 0).map((channel) => ({
    scene: "channel",
    id: channel.id,
    name: channel.name,
    place: guild.name,
    speakers: guild.members.flatMap((member) => world.users.filter((user) => user.id === member.user_id).map((user) => byId(user, member.roles))),
  })));
  const direct = world.direct.flatMap((one) => world.users.filter((user) => user.id === one.user_id).map((user) => ({
    scene: "direct",
    id: one.guild_id,
    name: user.name,
    face: user,
    speakers: [own(user, user.id)],
  })));
  return [...groups, ...c2c, ...channels, ...direct];
}

// Takes the world over; what was said stays.
function takeWorld(world) {
  state.world = world;
  const before = state.conversations;
  state.conversations = new Map();
  for (const entry of conversationsOf(world)) {
    const key = keyOf(entry.scene, entry.id);
    const known = before.get(key);
    state.conversations.set(key, known ? Object.assign(known, entry) : add(entry, key));
  }
  // Places that the world does not list, and places with a history.
  for (const [key, known] of before) if (!state.conversations.has(key) && known.items.length) state.conversations.set(key, known);
  emit("world-changed");
}

function add(entry, key) {
  return { ...entry, key, items: [], unread: 0, typing: 0 };
}

function conversation(scene, id) {
  const key = keyOf(scene, id);
  let found = state.conversations.get(key);
  if (!found) {
    found = add({ scene, id, name: id, speakers: [] }, key);
    state.conversations.set(key, found);
  }
  return found;
}

let asked = 0;
async function readWorld() {
  const number = ++asked;
  try {
    const world = await get("world");
    if (number === asked) takeWorld(world);
  } catch {
    // The stream ends, too, and begins anew.
  }
}

// Calls of the bot may change the world; which ones do is the emulator's business.
let worldTimer = null;
function worldMayHaveChanged(request) {
  if (request.method === "GET" || request.status >= 300 || /message|interaction|token|upload|file|stream|reaction/.test(request.route ?? "")) return;
  worldTimer ??= setTimeout(() => {
    worldTimer = null;
    readWorld();
  }, 150);
}

// ---- messages

// Files a message, or takes over what has become of it. Gives the conversation.
function keep(item) {
  const known = state.messages.get(item.message_id);
  const home = conversation(item.scene, item.conversation);
  if (known) {
    // A stream that is finished stays where it began.
    const finished = known.streaming && !item.streaming;
    Object.assign(known, item, { at: known.at, streaming: item.streaming ?? false, lost: item.lost ?? false });
    if (finished) known.n = item.n;
    emit("item", { item: known, home, fresh: false, finished });
    return;
  }
  state.messages.set(item.message_id, item);
  if (item.ref_idx) state.indexes.set(item.ref_idx, item.message_id);
  home.items.push(item);
  if (item.author.bot) home.typing = 0;
  if (home.items.length > KEPT_PER_CONVERSATION + TRIMMED_AT_ONCE) trim(home);
  emit("item", { item, home, fresh: true });
}

// The oldest go.
function trim(home) {
  for (const item of home.items.splice(0, TRIMMED_AT_ONCE)) {
    state.messages.delete(item.message_id);
    if (item.ref_idx) state.indexes.delete(item.ref_idx);
  }
  emit("trimmed", { home, count: TRIMMED_AT_ONCE });
}

function forget(home, item) {
  const place = home.items.indexOf(item);
  if (place >= 0) home.items.splice(place, 1);
  state.messages.delete(item.message_id);
  if (item.ref_idx) state.indexes.delete(item.ref_idx);
  emit("item-gone", { item, home });
}

function streamed(stream) {
  const known = state.messages.get(stream.id);
  if (!stream.open) {
    // The whole message comes by itself; one that never comes was rolled back.
    if (known?.streaming) setTimeout(() => rolledBack(stream.id), 1500);
    return;
  }
  if (known && !known.streaming) return;
  keep({
    n: known?.n ?? 0,
    at: stream.at,
    scene: stream.scene,
    conversation: stream.conversation,
    message_id: stream.id,
    author: stream.author,
    content: stream.text,
    reply_to: stream.reply_to,
    recalled: false,
    body: stream.markdown ? { markdown: { content: stream.text } } : { content: stream.text },
    reactions: [],
    clicks: [],
    streaming: true,
  });
}

function rolledBack(id) {
  const item = state.messages.get(id);
  if (!item?.streaming) return;
  keep({ ...item, streaming: false, lost: true });
}

function audited(audit) {
  const known = state.messages.get(audit.id);
  if (audit.state === "passed") {
    if (known) forget(conversation(audit.scene, audit.conversation), known);
    return;
  }
  const { markdown, content } = audit.body;
  keep({ ...audit, n: 0, message_id: audit.id, content: content ?? markdown?.content ?? "", recalled: false, reactions: [], clicks: [], audit: audit.state });
}

function typing({ conversation: id, seconds }) {
  const home = state.conversations.get(keyOf("c2c", id));
  if (!home) return;
  home.typing = seconds ? Date.now() + seconds * 1000 : 0;
  emit("typing-changed", home);
}

// What a message answers, if it is still known. Bots quote by id or by index.
export function answered(item) {
  const reference = item.body?.message_reference?.message_id;
  const id = state.indexes.get(reference) ?? reference ?? item.reply_to;
  return id ? { id, item: state.messages.get(id) } : null;
}

// The name behind an id, an openid, or a channel's id.
export function personName(id) {
  const everyone = [...state.world.users, ...state.world.bots];
  return everyone.find((one) => one.id === id || one.openid === id)?.name ?? id;
}

export function channelName(id) {
  return state.world.guilds.flatMap((guild) => guild.channels).find((channel) => channel.id === id)?.name ?? id;
}

// ---- the feed

let early = null; // what came before the world was known

function begin({ resumed }) {
  if (resumed && state.ready) return;
  state.ready = false;
  state.messages.clear();
  state.indexes.clear();
  state.conversations.clear();
  state.sessions = null;
  state.current = null;
  const held = [];
  early = held;
  emit("begun");
  get("world").then((world) => {
    if (early !== held) return;
    takeWorld(world);
    early = null;
    state.ready = true;
    emit("ready");
    for (const [take, value] of held) take(value);
  }, () => { /* The stream ends, too. */ });
}

// Events wait for the world: names come from it.
const later = (take) => (value) => (early ? early.push([take, value]) : take(value));

on("begin", begin);
on("message", later(keep));
on("stream", later(streamed));
on("audit", later(audited));
on("typing", later(typing));
on("world", later(readWorld));
on("request", later(worldMayHaveChanged));
on("sessions", (sessions) => {
  state.sessions = sessions;
  emit("sessions-changed");
});
on("link", (link) => {
  state.link = link;
  emit("link-changed");
});
