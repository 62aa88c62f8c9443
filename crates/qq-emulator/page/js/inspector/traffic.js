// Frames and calls as they happen: a list of rows of one height, of which the document holds only
// those in sight, and the details of one.

import { el, icon, iconButton, soon } from "../dom.js";
import { on } from "../bus.js";
import { copyButton } from "../toast.js";
import { bytes, clockExact, t, translateDocument } from "../words.js";
import { jsonView, pretty } from "./json.js";

const KEPT = 3000;
const ROW_PX = 30;
const OPS = { 0: "DISPATCH", 1: "HEARTBEAT", 2: "IDENTIFY", 6: "RESUME", 7: "RECONNECT", 9: "INVALID_SESSION", 10: "HELLO", 11: "HEARTBEAT_ACK" };
const QUIET = new Set(["HEARTBEAT", "HEARTBEAT_ACK"]);

let rows = []; // everything kept, oldest first
let visible = []; // what the filter lets through
let held = null; // what came while the list was paused
let filter = "";
let follow = true;
let selected = null;
const kinds = { frames: true, calls: true, beats: false };
const ui = {};

export function buildTraffic(panel) {
  ui.filter = el("input", { type: "search", id: "traffic-filter", autocomplete: "off", spellcheck: false, dataset: { tLabel: "filter", tPlaceholder: "filter" } });
  ui.pause = iconButton("pause", "", pause, { id: "traffic-pause" });
  ui.clear = iconButton("trash", "", clear);
  ui.count = el("p", { className: "hint count" });
  ui.list = el("div", { className: "rows", id: "traffic", role: "listbox", tabIndex: 0, dataset: { tLabel: "tab_traffic" } });
  ui.space = el("div", { className: "rows-space" });
  ui.detail = el("section", { className: "detail", id: "traffic-detail", hidden: true });
  ui.list.append(ui.space);
  const chips = Object.keys(kinds).map((kind) => {
    const box = el("input", { type: "checkbox", checked: kinds[kind], onchange: () => {
      kinds[kind] = box.checked;
      sift();
    } });
    return el("label", { className: "chip" }, box, el("span", { dataset: { t: `kind_${kind}` } }));
  });
  panel.append(
    el("div", { className: "traffic-tools" }, ui.filter, ui.pause, ui.clear, el("div", { className: "chips" }, chips, ui.count)),
    ui.list, ui.detail);
  ui.filter.oninput = () => {
    filter = ui.filter.value.trim().toLowerCase();
    sift();
  };
  ui.list.onscroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = ui.list;
    follow = scrollHeight - scrollTop - clientHeight < ROW_PX;
    soon("traffic", draw);
  };
  ui.list.onclick = (event) => {
    const row = event.target.closest(".row");
    if (row) choose(visible[Number(row.dataset.place)]);
  };
  ui.list.onkeydown = walk;
  new ResizeObserver(() => soon("traffic", draw)).observe(ui.list);
  on("frame", (frame) => take(frameRow(frame)));
  on("request", (request) => take(callRow(request)));
  on("skipped", ({ requests, frames }) => take({ kind: "calls", at: null, mark: "gone", name: t("skipped", { n: requests + frames }), search: "" }));
  on("begun", clear);
  on("language", words);
  words();
}

function words() {
  translateDocument(ui.list.parentElement);
  const label = held ? t("resume") : t("pause");
  ui.pause.replaceChildren(icon(held ? "play" : "pause"));
  for (const [button, text] of [[ui.pause, label], [ui.clear, t("clear")]]) {
    button.title = text;
    button.setAttribute("aria-label", text);
  }
  draw();
}

// ---- rows

function frameRow(frame) {
  const { kind, data } = frame;
  const known = data && typeof data === "object";
  let name = { opened: t("opened"), gone: t("gone"), dropped: t("dropped"), closed: t("closedWith", { code: frame.code }) }[kind];
  if (known) name = data.op === 0 ? data.t : (OPS[data.op] ?? `op ${data.op}`);
  name ??= t("unreadable");
  const mark = kind === "received" ? "in" : kind === "sent" ? "out" : "line";
  const note = known && data.op === 0 ? `s ${data.s}` : known && data.op === 1 ? `d ${data.d ?? "null"}` : `#${frame.connection}`;
  return {
    kind: QUIET.has(name) ? "beats" : "frames",
    at: frame.at,
    mark,
    name,
    note,
    bad: kind === "dropped" || (kind === "closed" && frame.code !== 1000) || (known && data.op === 9),
    title: name,
    meta: [[t("direction"), t(`way_${mark}`)], [t("connection"), `#${frame.connection}`], [t("session"), frame.session], [t("size"), bytes(frame.size)]],
    parts: frame.data === undefined && frame.text === undefined ? [] : [[t("frame"), frame.data ?? frame.text]],
    search: `${name} ${JSON.stringify(frame.data ?? frame.text ?? "")}`.slice(0, 4000).toLowerCase(),
  };
}

function callRow(request) {
  const path = request.query ? `${request.path}?${request.query}` : request.path;
  return {
    kind: "calls",
    at: request.at,
    mark: "call",
    method: request.method,
    name: request.path.replace(/([^/]{6})[^/]{14,}/g, "$1…"),
    note: String(request.status),
    bad: request.status >= 400,
    title: `${request.method} ${path}`,
    meta: [[t("status"), request.code === undefined ? request.status : `${request.status} · ${request.code}`], [t("route"), request.route], [t("trace"), request.trace_id]],
    parts: [[t("body"), request.body], [t("headers"), request.headers]].filter(([, value]) => value !== null),
    search: `${request.method} ${path} ${request.route ?? ""} ${request.status} ${JSON.stringify(request.body ?? "")}`.slice(0, 4000).toLowerCase(),
  };
}

function take(row) {
  if (held) {
    held.push(row);
    if (held.length > KEPT) held.shift();
    return;
  }
  rows.push(row);
  if (fits(row)) visible.push(row);
  if (rows.length > KEPT + 200) {
    rows = rows.slice(-KEPT);
    const oldest = new Set(rows);
    visible = visible.filter((one) => oldest.has(one));
  }
  soon("traffic", draw);
}

const fits = (row) => kinds[row.kind] && (!filter || row.search.includes(filter));

function sift() {
  visible = rows.filter(fits);
  follow = true;
  draw();
}

function clear() {
  rows = [];
  visible = [];
  selected = null;
  held = held && [];
  ui.detail.hidden = true;
  draw();
}

function pause() {
  const waited = held;
  held = held ? null : [];
  for (const row of waited ?? []) take(row);
  words();
}

// ---- what is in sight

function draw() {
  if (!ui.list.offsetParent) return;
  ui.count.textContent = visible.length === rows.length ? t("countAll", { n: rows.length }) : t("countSome", { n: visible.length, of: rows.length });
  ui.space.style.height = `${Math.max(visible.length * ROW_PX, 1)}px`;
  if (follow) ui.list.scrollTop = ui.list.scrollHeight;
  const first = Math.max(0, Math.floor(ui.list.scrollTop / ROW_PX) - 4);
  const last = Math.min(visible.length, Math.ceil((ui.list.scrollTop + ui.list.clientHeight) / ROW_PX) + 4);
  const nodes = [];
  for (let place = first; place < last; place += 1) nodes.push(rowNode(visible[place], place));
  ui.space.replaceChildren(...nodes);
  if (!visible.length) ui.space.append(el("p", { className: "hint none" }, t(filter ? "nothingFits" : "noTraffic")));
}

function rowNode(row, place) {
  const marks = { in: "arrowIn", out: "arrowOut", call: "arrowIn" };
  const node = el("div", {
    className: `row ${row.kind} ${row.mark}${row.bad ? " bad" : ""}`,
    role: "option",
    id: `row-${place}`,
    "aria-selected": String(row === selected),
    dataset: { place },
  },
    el("time", {}, row.at ? clockExact(new Date(row.at)) : ""),
    el("span", { className: "mark" }, marks[row.mark] ? icon(marks[row.mark]) : null),
    row.method ? el("b", { className: "method" }, row.method) : null,
    el("span", { className: "name" }, row.name),
    row.note ? el("span", { className: "note" }, row.note) : null);
  node.style.top = `${place * ROW_PX}px`;
  return node;
}

function choose(row) {
  selected = row;
  draw();
  if (row) showDetail(row);
}

function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !visible.length) return;
  event.preventDefault();
  const at = visible.indexOf(selected);
  const place = at < 0 ? visible.length - 1 : Math.max(0, Math.min(visible.length - 1, at + step));
  follow = false;
  const top = place * ROW_PX;
  if (top < ui.list.scrollTop) ui.list.scrollTop = top;
  else if (top + ROW_PX > ui.list.scrollTop + ui.list.clientHeight) ui.list.scrollTop = top + ROW_PX - ui.list.clientHeight;
  choose(visible[place]);
  ui.list.setAttribute("aria-activedescendant", `row-${place}`);
}

// ---- one of them

export function showDetail({ title, meta, parts }) {
  const close = iconButton("close", t("close"), () => {
    ui.detail.hidden = true;
    selected = null;
    draw();
    ui.list.focus();
  });
  const facts = meta.filter(([, value]) => value !== undefined && value !== null && value !== "");
  ui.detail.replaceChildren(
    el("header", {}, el("h3", {}, title), close),
    el("div", { className: "detail-body" },
      el("dl", { className: "facts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value))))),
      parts.map(([name, value]) => [el("div", { className: "part-head" }, el("h4", {}, name), copyButton(name, () => pretty(value))), jsonView(value)])));
  ui.detail.hidden = false;
  draw();
}
