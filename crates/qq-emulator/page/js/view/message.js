// One message. Its parts are built anew only when what they show has changed.

import { avatar, el, icon } from "../dom.js";
import { answered, personName } from "../store.js";
import { attachment, picture } from "../media.js";
import { markdown, plain } from "../markdown.js";
import { clock, moment, t } from "../words.js";
import { speaker } from "../composer.js";
import { ark, embed } from "./cards.js";
import { keyboard } from "./keyboard.js";
import { preview } from "./preview.js";
import { reactions } from "./reactions.js";

const RUN_GAP_MS = 3 * 60_000;

export const nodeId = (item) => `message-${item.message_id}`;

// Whether a message goes on where the one before ended.
export function runs(before, item) {
  return before && before.author.id === item.author.id && !before.recalled && !item.recalled
    && new Date(item.at) - new Date(before.at) < RUN_GAP_MS && new Date(item.at).toDateString() === new Date(before.at).toDateString();
}

export function message(item, run, home) {
  const node = el("article", { className: "message", id: nodeId(item), tabIndex: -1, dataset: { id: item.message_id, author: item.author.id } });
  node.classList.toggle("run", Boolean(run));
  node.toggleAttribute("data-bot", item.author.bot);
  refresh(node, item, home);
  return node;
}

// Shows what a message is now.
export function refresh(node, item, home) {
  const own = speaker();
  node.toggleAttribute("data-own", !item.author.bot && item.author.id === own?.id);
  node.toggleAttribute("data-recalled", item.recalled);
  node.toggleAttribute("data-streaming", Boolean(item.streaming));
  const key = [item.content, item.body, item.attachments, item.media, item.recalled, item.streaming, item.audit, item.lost].map((part) => JSON.stringify(part) ?? "").join();
  const quoted = answered(item)?.item;
  part(node, "base", `${key}${document.documentElement.lang}${quoted?.content}${quoted?.recalled}`, () => base(item, home, node.classList.contains("run")));
  const column = node.querySelector(".column");
  part(column, "keyboard", JSON.stringify([item.body?.keyboard, item.clicks, item.recalled, own?.id, own?.role, document.documentElement.lang]), () => keyboard(item));
  part(column, "reactions", JSON.stringify([item.reactions, item.recalled, own?.id]), () => reactions(item));
}

const seen = new WeakMap(); // what a node shows, by part

function part(parent, name, key, build) {
  const known = seen.get(parent) ?? {};
  seen.set(parent, known);
  if (known[name]?.key === key) return;
  const made = build();
  const nodes = made === null ? [] : [made].flat();
  const old = known[name]?.nodes ?? [];
  if (name === "base") parent.replaceChildren(...nodes);
  else if (old.length) old[0].replaceWith(...nodes);
  else parent.append(...nodes);
  // What a part before has not filled comes after it all the same.
  if (name === "keyboard" && nodes.length && known.reactions?.nodes.length) parent.append(...known.reactions.nodes);
  known[name] = { key, nodes };
}

function base(item, home, run) {
  const { author } = item;
  const member = home?.speakers.find((one) => one.id === author.id);
  const role = author.bot ? t("bot") : member && member.role !== "member" ? t(`role_${member.role}`) : null;
  if (item.recalled) {
    return [avatar(author), el("div", { className: "column" }, el("p", { className: "recalled" }, icon("undo"), t("recalledBy", { name: author.name })))];
  }
  const bubble = el("div", { className: "bubble" }, quote(item, run), content(item), foot(item));
  return [
    avatar(author),
    el("div", { className: "column" },
      el("header", {}, el("b", {}, author.name), role ? el("span", { className: `tag${author.bot ? " of-bot" : ""}` }, role) : null, stateTag(item)),
      bubble),
  ];
}

function stateTag(item) {
  if (item.audit) return el("span", { className: `tag ${item.audit === "rejected" ? "bad" : "warn"}` }, t(`audit_${item.audit}`));
  if (item.lost) return el("span", { className: "tag bad" }, t("rolledBack"));
  return null;
}

function foot(item) {
  const at = new Date(item.at);
  return el("span", { className: "foot" },
    item.streaming ? el("span", { className: "caret", role: "img", "aria-label": t("writing") }) : null,
    el("time", { dateTime: item.at, title: moment(at) }, clock(at)));
}

function content(item) {
  const { body, media, attachments = [] } = item;
  const parts = [];
  const source = body?.markdown?.content;
  const given = /^\[(embed|ark|image|file_image|media|markdown)\]$/.test(item.content) && body ? "" : item.content.trim();
  if (typeof source === "string") parts.push(markdown(source));
  else if (body?.markdown) parts.push(template(body.markdown));
  else if (given) parts.push(el("p", { className: "text" }, plain(given)));
  if (body?.embed) parts.push(embed(body.embed));
  if (body?.ark) parts.push(ark(body.ark));
  if (typeof body?.image === "string") parts.push(picture(body.image, t("picture")));
  if (media) parts.push(attachment(media));
  else if (body?.media || body?.file_image) parts.push(el("span", { className: "file" }, icon("picture"), el("span", {}, body.file_image?.filename ?? t("picture"), el("small", {}, t("fileGone")))));
  parts.push(...attachments.map(attachment));
  if (!parts.length) parts.push(el("p", { className: "text muted" }, t("emptyMessage")));
  return el("div", { className: "content" }, parts);
}

// Markdown by a template: its parameters are all that is known here.
function template({ custom_template_id: id, template_id: number, params }) {
  const rows = Array.isArray(params) ? params.slice(0, 50) : [];
  return el("div", { className: "card ark" }, el("p", { className: "card-title" }, t("markdownTemplate", { id: String(id ?? number ?? "") })),
    el("dl", {}, rows.map((row) => el("div", {}, el("dt", {}, String(row?.key ?? "")), el("dd", {}, (row?.values ?? []).join(", "))))));
}

function quote(item, run) {
  const found = answered(item);
  // Nearly every message of a bot answers something: of a run, the first says what.
  if (!found || (run && item.author.bot && !item.body?.message_reference)) return null;
  if (!found.item) return /^[A-Z_]+:/.test(found.id) ? null : el("p", { className: "quote" }, t("quoteGone"));
  const name = found.item.author.name ?? personName(found.item.author.id);
  const words = preview(found.item);
  return el("button", { type: "button", className: "quote", dataset: { of: found.id }, "aria-label": t("quoteOf", { name, text: words }) }, el("b", {}, name), " ", words);
}
