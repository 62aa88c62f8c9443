// Markdown as elements. What it does not know stays visible as text.

import { el, link, picture } from "./dom.js";
import { nameOf } from "./state.js";

export const MARKER = /(<@!?\w+>|<#\d+>|@everyone)/g;

// A text with the platform's markers for people and channels.
export function inline(text) {
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

export function markdown(source) {
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
