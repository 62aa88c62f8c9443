// Embeds and ark cards.

import { el } from "../dom.js";
import { externalLink, picture } from "../media.js";
import { t } from "../words.js";

const text = (value) => (typeof value === "string" || typeof value === "number" ? String(value) : "");
const line = (className, value) => (text(value) ? el("p", { className }, text(value)) : null);

export function embed({ title, prompt, description, thumbnail, fields }) {
  const rows = Array.isArray(fields) ? fields.slice(0, 50) : [];
  return el("section", { className: "card embed", "aria-label": text(title) || t("card") },
    thumbnail?.url ? el("div", { className: "thumbnail" }, picture(text(thumbnail.url), text(title))) : null,
    el("div", { className: "card-text" },
      line("card-title", title),
      line("muted", description ?? (title ? null : prompt)),
      rows.length ? el("dl", {}, rows.map((field) => el("div", {},
        el("dt", {}, text(field?.name)), text(field?.value) ? el("dd", {}, text(field.value)) : null))) : null));
}

// The values of an ark by key; a list is a list of such objects.
function values(kv) {
  const all = {};
  for (const { key, value, obj } of Array.isArray(kv) ? kv.slice(0, 50) : []) {
    all[text(key).replaceAll("#", "")] = Array.isArray(obj)
      ? obj.slice(0, 50).map((one) => Object.fromEntries((one?.obj_kv ?? []).map((pair) => [text(pair.key), text(pair.value)])))
      : text(value);
  }
  return all;
}

const linked = (address, content) => (address ? externalLink(address, content) : el("span", {}, content));

const TEMPLATES = {
  // Links with a text.
  23: ({ DESC, LIST }) => [
    line("card-title", DESC),
    el("ul", { className: "links" }, (Array.isArray(LIST) ? LIST : []).map(({ desc, link }) => el("li", {}, linked(link, desc || link)))),
  ],
  // A text with a small picture.
  24: ({ TITLE, METADESC, IMG, LINK, SUBTITLE, DESC }) => [
    IMG ? el("div", { className: "thumbnail" }, picture(IMG, TITLE)) : null,
    el("div", { className: "card-text" }, el("p", { className: "card-title" }, linked(LINK, TITLE || DESC)), line("muted", METADESC), line("card-source", SUBTITLE)),
  ],
  // A large picture.
  37: ({ METATITLE, METASUBTITLE, METACOVER, METAURL }) => [
    el("div", { className: "card-text" }, el("p", { className: "card-title" }, linked(METAURL, METATITLE)), line("muted", METASUBTITLE)),
    METACOVER ? el("div", { className: "cover" }, picture(METACOVER, METATITLE)) : null,
  ],
};

export function ark({ template_id: id, kv }) {
  const all = values(kv);
  const build = TEMPLATES[id];
  const content = build ? build(all) : [
    line("card-title", t("arkTemplate", { id: text(id) })),
    el("dl", {}, Object.entries(all).map(([key, value]) => el("div", {}, el("dt", {}, key), el("dd", {}, typeof value === "string" ? value : JSON.stringify(value))))),
  ];
  return el("section", { className: `card ark ark-${Number(id) || 0}`, "aria-label": all.PROMPT || t("card") }, content);
}
