// Words in two languages, and small tools for building elements.
//
// Texts reach the document as text nodes, never as markup: `el` takes strings only as children.

export const $ = (id) => document.getElementById(id);

// ---------------------------------------------------------------- memory

// Private windows may refuse storage; the page then forgets, and works.
export function saved(key) {
  try {
    return localStorage.getItem(`qq-emulator.${key}`);
  } catch {
    return null;
  }
}

export function save(key, value) {
  try {
    localStorage.setItem(`qq-emulator.${key}`, value);
  } catch {
    // Forgotten on reload.
  }
}

// ---------------------------------------------------------------- words

const STRINGS = JSON.parse($("strings").textContent);
let language = saved("language") ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
if (!STRINGS[language]) language = "en";

export function t(key, values = {}) {
  return STRINGS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  save("language", language);
}

// Translates everything that is written in the document itself.
export function translateDocument() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
}

const locale = () => (language === "zh" ? "zh-CN" : "en-GB");
export const clock = (date) => date.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
export const clockExact = (date) => date.toLocaleTimeString(locale());
export const day = (date) => date.toLocaleDateString(locale(), { weekday: "long", day: "numeric", month: "long" });
export const moment = (date) => date.toLocaleString(locale());

// ---------------------------------------------------------------- elements

export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "role" || name.startsWith("aria-")) node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child != null && child !== ""));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

export function avatar(person) {
  let hue = 0;
  for (const letter of person.name) hue = (hue * 31 + letter.codePointAt(0)) % 8;
  const face = person.bot ? icon("bot") : [...person.name, "?"][0].toUpperCase();
  return el("span", { className: `avatar hue-${hue}${person.bot ? " of-bot" : ""}`, "aria-hidden": "true" }, face);
}

// The address if it is one that a page may open, else null: no javascript:, data: or file:.
function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

export function link(address, text) {
  const url = webAddress(address);
  return url ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text) : text;
}

export function picture(address, name) {
  const url = webAddress(address);
  if (!url) return name || address;
  const image = el("img", { src: url, alt: name });
  image.onerror = () => image.replaceWith(link(url, name || url));
  return image;
}

export function copyButton(what, value) {
  const button = el("button", { type: "button", className: "icon-button", "aria-label": t("copy", { what }) }, icon("copy"));
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(value);
      button.replaceChildren(icon("check"));
      setTimeout(() => button.replaceChildren(icon("copy")), 1500);
    } catch (error) {
      toast(t("copyFailed", { cause: error.message }));
    }
  };
  return button;
}

export function toast(text, kind = "error") {
  const close = el("button", { type: "button", className: "icon-button", "aria-label": t("dismiss") }, icon("close"));
  const box = el("div", { className: `toast ${kind}`, role: kind === "error" ? "alert" : "status" }, el("p", {}, text), close);
  close.onclick = () => box.remove();
  for (const other of [...$("toasts").children]) if (other.textContent === text) other.remove();
  $("toasts").append(box);
  while ($("toasts").children.length > 3) $("toasts").firstElementChild.remove();
  setTimeout(() => box.remove(), kind === "error" ? 12_000 : 5000);
}
