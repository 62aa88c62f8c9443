// Elements. Whatever a person or a bot wrote reaches the document as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);

// An element with properties; `dataset`, `role` and `aria-` are attributes, children that are null
// are left out.
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "role" || name.startsWith("aria-")) node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== "" && child !== false));
  return node;
}

const PATHS = {
  alert: "M12 8v5M12 16.5v.01M12 3 2.5 20h19L12 3Z",
  arrowIn: "M19 12H5M11 6l-6 6 6 6",
  arrowOut: "M5 12h14M13 6l6 6-6 6",
  auto: "M12 3a9 9 0 1 0 0 18ZM12 3a9 9 0 0 1 0 18",
  bot: "M12 4v3M7 7h10a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3H7a3 3 0 0 1-3-3v-6a3 3 0 0 1 3-3ZM9 12v1.5M15 12v1.5",
  braces: "M9 4H8a2.5 2.5 0 0 0-2.5 2.5v3L4 12l1.5 2.5v3A2.5 2.5 0 0 0 8 20h1M15 4h1a2.5 2.5 0 0 1 2.5 2.5v3L20 12l-1.5 2.5v3A2.5 2.5 0 0 1 16 20h-1",
  chat: "M12 4c5 0 8.5 3.2 8.5 7.4S17 18.8 12 18.8c-.9 0-1.7-.1-2.5-.3L5 20.5l.9-3.6C4.4 15.5 3.5 13.6 3.5 11.4 3.5 7.2 7 4 12 4Z",
  check: "m5 12.5 4.5 4.5L19 7.5",
  close: "m6 6 12 12M18 6 6 18",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  face: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM9 10v.01M15 10v.01M8.5 14.5c1.8 2.2 5.2 2.2 7 0",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  link: "M14 5h5v5M19 5l-8 8M10 6H6v12h12v-4",
  moon: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5Z",
  pause: "M8 5v14M16 5v14",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9v.01",
  play: "M7 5l12 7-12 7Z",
  reply: "M10 6 4 12l6 6M4 12h9a7 7 0 0 1 7 7",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  undo: "M8 5 4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11h-3",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

// A round or, for bots, square face with the name's first letter.
export function avatar(person) {
  let hue = 0;
  for (const letter of person.name) hue = (hue * 31 + letter.codePointAt(0)) % 8;
  const face = person.bot ? icon("bot") : [...person.name, "?"][0].toUpperCase();
  return el("span", { className: `avatar hue-${hue}${person.bot ? " of-bot" : ""}`, "aria-hidden": "true" }, face);
}

export function iconButton(name, label, onclick, properties = {}) {
  return el("button", { type: "button", className: "icon-button", title: label, "aria-label": label, onclick, ...properties }, icon(name));
}

// Does things once per frame, however often they are asked for; in a hidden page a little later.
const waiting = new Map();
export function soon(key, task) {
  if (!waiting.size) {
    if (document.hidden) setTimeout(runWaiting, 250);
    else requestAnimationFrame(runWaiting);
  }
  waiting.set(key, task);
}

function runWaiting() {
  const tasks = [...waiting.values()];
  waiting.clear();
  for (const task of tasks) task();
}

// A page that is hidden gets no frames: what waits is done when it comes back, too.
document.addEventListener("visibilitychange", runWaiting);
