// The feed: one stream of everything that happens. It is taken up again where it ended; when the
// emulator is gone, it is looked for until it is back.

import { API } from "./api.js";
import { emit } from "./bus.js";

const RETRY_MS = [300, 700, 1500, 3000];
const HIDDEN_MS = 60_000;
const NAMES = ["begin", "message", "stream", "typing", "audit", "world", "request", "frame", "violation", "skipped", "sessions", "faults", "clock"];

let source = null;
let attempts = 0;
let retryTimer = null;
let place = "";

// Follows the feed; tells each event under its name, and the state of the line as "link".
export function follow() {
  stop();
  const own = new EventSource(`${API}feed?from=${encodeURIComponent(place)}`);
  source = own;
  own.onopen = () => {
    attempts = 0;
    emit("link", "live");
  };
  own.onerror = () => {
    own.close();
    if (own !== source) return;
    source = null;
    emit("link", "offline");
    retryTimer = setTimeout(follow, RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)]);
  };
  for (const name of NAMES) {
    own.addEventListener(name, (event) => {
      if (own !== source) return;
      if (event.lastEventId) place = event.lastEventId;
      emit(name, JSON.parse(event.data));
    });
  }
}

function stop() {
  clearTimeout(retryTimer);
  source?.close();
  source = null;
}

// A browser allows six connections to one server: a tab that nobody looks at gives its own back.
let hiddenTimer = null;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  if (document.hidden) hiddenTimer = setTimeout(stop, HIDDEN_MS);
  else if (!source) follow();
});
