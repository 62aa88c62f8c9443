// What the page knows: the world, its conversations and what was said in them.

export const SCENES = ["group", "c2c", "channel", "direct"];
export const KEPT_PER_CONVERSATION = 500;

export const state = {
  world: null,
  conversations: new Map(), // by "scene/id": { key, scene, id, name, place, face, speakers, items, unread }
  byMessage: new Map(), // timeline items by message id
  last: 0, // number of the newest timeline item
  current: null, // the conversation on the screen
  link: "waiting", // "waiting", "live" or "offline"
  sessions: null, // connected gateway sessions; null until the server said so
  violations: [],
};

export const keyOf = (scene, id) => `${scene}/${id}`;

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
  const channels = world.guilds.flatMap((guild) => guild.channels.map((channel) => ({
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

export function replaceWorld(world) {
  state.world = world;
  state.last = 0;
  state.current = null;
  state.conversations.clear();
  state.byMessage.clear();
  conversationsOf(world).forEach(add);
}

// Whether the server still tells the story that this page knows; a restarted one begins anew.
export function continues(world, timeline) {
  if (JSON.stringify(world) !== JSON.stringify(state.world)) return false;
  if (state.last === 0) return true;
  const known = timeline.items.find((item) => item.n === state.last);
  return known !== undefined && state.byMessage.get(known.message_id)?.at === known.at;
}

// Files an item under its conversation, the oldest ones leaving. A message may come from a place
// that the world does not list.
export function keep(item) {
  state.last = item.n;
  state.byMessage.set(item.message_id, item);
  const conversation = state.conversations.get(keyOf(item.scene, item.conversation))
    ?? add({ scene: item.scene, id: item.conversation, name: item.conversation, speakers: [] });
  conversation.items.push(item);
  if (conversation.items.length > KEPT_PER_CONVERSATION) state.byMessage.delete(conversation.items.shift().message_id);
  return conversation;
}

// The name behind a marker in a text: <@id>, <@!id> or <#id>.
export function nameOf(marker) {
  if (marker === "@everyone") return marker;
  const id = marker.replace(/[<@!#>]/g, "");
  if (marker.startsWith("<#")) return `#${state.conversations.get(keyOf("channel", id))?.name ?? id}`;
  const everyone = [...state.world.users, ...state.world.bots];
  return `@${everyone.find((one) => one.id === id || one.openid === id)?.name ?? id}`;
}
