// The address names the open conversation: links, the back button and reloads all work.

import { $ } from "./dom.js";
import { emit, on } from "./bus.js";
import { now } from "./clock.js";
import { state } from "./store.js";

const ROOM_FOR_LIST = matchMedia("(min-width: 760px)");

let openKey = null;

export function startRoute() {
  addEventListener("hashchange", route);
  ROOM_FOR_LIST.addEventListener("change", route);
  on("ready", () => {
    openKey = null;
    route();
  });
  on("world-changed", () => { if (state.ready) route(); });
  on("item", ({ home, fresh, item }) => {
    if (fresh && (home !== state.current || document.hidden) && state.ready && !old(item)) home.unread += 1;
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && state.current) state.current.unread = 0; });
}

// What was there before the page was is no news.
let began = null;
on("clock", () => { began ??= now() - 1000; });
const old = (item) => new Date(item.at) < began;

function route() {
  if (!state.ready) return;
  const wanted = state.conversations.get(location.hash.slice(1));
  const chosen = wanted ?? (ROOM_FOR_LIST.matches ? [...state.conversations.values()][0] : null) ?? null;
  if (chosen && !wanted) history.replaceState(null, "", `#${chosen.key}`);
  const before = openKey;
  state.current = chosen;
  openKey = chosen?.key ?? null;
  document.body.dataset.view = chosen ? "chat" : "list";
  if (chosen) chosen.unread = 0;
  if (before === openKey && before !== null) return;
  emit("opened", { before });
  if (chosen && matchMedia("(hover: hover)").matches) $("text").focus({ preventScroll: true });
}

export function step(by) {
  const keys = [...state.conversations.keys()];
  const at = keys.indexOf(state.current?.key);
  location.hash = keys[(at + by + keys.length) % keys.length];
}
