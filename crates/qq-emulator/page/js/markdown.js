// Texts as elements: plain texts with the platform's markers, and its markdown. One pass from left
// to right, every look ahead bounded, so that no text can hold the page up.

import { el } from "./dom.js";
import { channelName, personName } from "./store.js";
import { faceText } from "./faces.js";
import { externalLink, picture } from "./media.js";
import { emit } from "./bus.js";

const MOST_DEPTH = 5;
const MOST_TEXT = 40_000;

// ---- markers for people, places, faces and commands

const mention = (text) => el("span", { className: "mention" }, text);

const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

function attribute(tag, name) {
  return new RegExp(`\\b${name}\\s*=\\s*"([^"]{0,600})"`).exec(tag)?.[1] ?? "";
}

// A command that a press writes into the composer, or sends at once.
function command(tag, sends) {
  const text = decoded(attribute(tag, "text"));
  const shown = decoded(attribute(tag, "show")) || text;
  const button = el("button", { type: "button", className: "command" }, shown);
  button.onclick = () => emit("command", { text, sends });
  return button;
}

const MARKERS = [
  [/<@!?(\w{1,64})>/y, (m) => mention(`@${personName(m[1])}`)],
  [/<#(\d{1,32})>/y, (m) => mention(`#${channelName(m[1])}`)],
  [/<emoji:(\d{1,10})>/y, (m) => faceText(m[1])],
  [/<faceType=\d{1,4},faceId="(\d{0,10})",ext="[^"]{0,2000}">/y, (m) => faceText(m[1])],
  [/<qqbot-at-user\s[^<>]{0,200}>/y, (m) => mention(`@${personName(attribute(m[0], "id"))}`)],
  [/<qqbot-at-everyone\s*\/?>/y, () => mention("@everyone")],
  [/<qqbot-cmd-input\s[^<>]{0,1500}>/y, (m) => command(m[0], false)],
  [/<qqbot-cmd-enter\s[^<>]{0,1500}>/y, (m) => command(m[0], true)],
  [/<(https?:\/\/[^>\s]{1,2000})>/y, (m) => externalLink(m[1], m[1])],
  [/@everyone\b/y, (m) => mention(m[0])],
];

const ADDRESS = [/https?:\/\/[^\s<>"'）】，。]{1,2000}/y, (m) => {
  const url = m[0].replace(/[.,;:!?)\]]+$/, "");
  m.taken = url.length;
  return externalLink(url, url);
}];

// ---- spans of markdown

const inner = (text, depth) => spans(text, SPANS, depth + 1);
const SPANS = [
  [/\\([\\`*_~[\]()#+\-.!>|])/y, (m) => m[1]],
  [/(`{1,3})([^`]{1,2000})\1/y, (m) => el("code", {}, m[2])],
  [/!\[([^\]\n]{0,200})\]\(([^()\s]{1,2000})\)/y, (m) => picture(m[2], m[1].replace(/\s*#\d+px/g, "").trim())],
  [/\[([^\]\n]{1,500})\]\(((?:[^()\s]|\([^()\s]{0,200}\)){1,2000})\)/y, (m, depth) => externalLink(m[2], inner(m[1], depth))],
  [/\*\*\*(?=\S)([^\n]{1,1000}?)\*\*\*/y, (m, depth) => el("strong", {}, el("em", {}, inner(m[1], depth)))],
  [/(\*\*|__)(?=\S)([^\n]{1,1000}?)\1/y, (m, depth) => el("strong", {}, inner(m[2], depth))],
  [/~~(?=\S)([^\n]{1,1000}?)~~/y, (m, depth) => el("s", {}, inner(m[1], depth))],
  [/\*(?=[^\s*])([^*\n]{1,1000})\*/y, (m, depth) => el("em", {}, inner(m[1], depth))],
  [/(?<!\w)_(?=[^\s_])([^_\n]{1,1000})_(?!\w)/y, (m, depth) => el("em", {}, inner(m[1], depth))],
  ...MARKERS,
  ADDRESS,
];
const PLAIN = [...MARKERS, ADDRESS];
const SPECIAL = /[\\`!*_~[<@h]/g;

// The nodes of a text; of two rules at one place the first of the table wins.
function spans(text, rules, depth = 0) {
  const nodes = [];
  let plain = 0;
  let at = 0;
  while (at < text.length) {
    SPECIAL.lastIndex = at;
    const found = SPECIAL.exec(text);
    if (!found) break;
    at = found.index;
    const taken = depth <= MOST_DEPTH && take(text, at, rules, depth);
    if (!taken) {
      at += 1;
      continue;
    }
    if (at > plain) nodes.push(text.slice(plain, at));
    nodes.push(taken.node);
    at += taken.length;
    plain = at;
  }
  if (plain < text.length) nodes.push(text.slice(plain));
  return nodes;
}

function take(text, at, rules, depth) {
  for (const [pattern, build] of rules) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) {
      const node = build(match, depth);
      return { node, length: match.taken ?? match[0].length };
    }
  }
  return null;
}

// A text that is no markdown.
export function plain(text) {
  return spans(text.slice(0, MOST_TEXT), PLAIN);
}

// A text in one line, as lists and quotes show it.
export function oneLine(text) {
  const nodes = el("span", {}, plain(text.slice(0, 300).replace(/\s+/g, " ")));
  return nodes.textContent;
}

// ---- blocks

const RULE = /^\s{0,3}([*_-])(\s*\1){2,}\s*$/;
const HEADING = /^\s{0,3}(#{1,6})\s+(.{0,2000})$/;
const ITEM = /^(\s{0,12})(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const QUOTE = /^\s{0,3}>\s?/;
const FENCE = /^\s{0,3}```/;

const lines = (rows, depth) => rows.flatMap((row, index) => (index ? [el("br"), ...spans(row, SPANS, depth)] : spans(row, SPANS, depth)));
const isBlock = (row) => FENCE.test(row) || HEADING.test(row) || RULE.test(row) || QUOTE.test(row) || ITEM.test(row);

function codeBlock(rows) {
  rows.shift();
  const end = rows.findIndex((row) => FENCE.test(row));
  const code = rows.splice(0, end < 0 ? rows.length : end);
  rows.shift();
  return el("pre", { tabIndex: 0 }, el("code", {}, code.join("\n")));
}

function heading(row) {
  const [, marks, text] = HEADING.exec(row);
  // The page has headings of its own: these come below them.
  return el("p", { className: `heading level-${marks.length}`, role: "heading", "aria-level": String(Math.min(marks.length + 2, 6)) }, spans(text, SPANS));
}

// Items of one indentation; deeper ones become a list in the item before.
function list(rows) {
  const [, indent, bullet, number] = ITEM.exec(rows[0]);
  const node = bullet ? el("ul") : el("ol", { start: parseInt(number, 10) });
  while (rows.length) {
    const match = ITEM.exec(rows[0]);
    if (!match || match[1].length < indent.length) break;
    if (match[1].length > indent.length + 1 && node.lastElementChild) {
      node.lastElementChild.append(list(rows));
      continue;
    }
    if (Boolean(match[2]) !== Boolean(bullet)) break;
    rows.shift();
    node.append(el("li", {}, spans(match[4], SPANS)));
  }
  return node;
}

function blocks(rows, depth) {
  const nodes = [];
  while (rows.length) {
    const row = rows[0];
    if (!row.trim()) rows.shift();
    else if (FENCE.test(row)) nodes.push(codeBlock(rows));
    else if (HEADING.test(row)) nodes.push(heading(rows.shift()));
    else if (RULE.test(row)) {
      rows.shift();
      nodes.push(el("hr"));
    } else if (QUOTE.test(row) && depth < MOST_DEPTH) {
      const quoted = [];
      while (rows.length && QUOTE.test(rows[0])) quoted.push(rows.shift().replace(QUOTE, ""));
      nodes.push(el("blockquote", {}, blocks(quoted, depth + 1)));
    } else if (ITEM.test(row)) nodes.push(list(rows));
    else {
      const paragraph = [rows.shift()];
      while (rows.length && rows[0].trim() && !isBlock(rows[0])) paragraph.push(rows.shift());
      nodes.push(el("p", {}, lines(paragraph, 0)));
    }
  }
  return nodes;
}

export function markdown(source) {
  return el("div", { className: "markdown" }, blocks(source.slice(0, MOST_TEXT).split(/\r?\n/), 0));
}
