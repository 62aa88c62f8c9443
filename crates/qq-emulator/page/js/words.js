// Chinese and English.

import { saved, save } from "./prefs.js";
import { emit } from "./bus.js";
import en from "./words/en.js";
import zh from "./words/zh.js";

const WORDS = { en, zh };

const preferred = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
let language = saved("language") ?? preferred;
if (!WORDS[language]) language = "en";

// The words of a key, `{name}` replaced.
export function t(key, values = {}) {
  const words = WORDS[language][key] ?? WORDS.en[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  save("language", language);
  translateDocument();
  emit("language");
}

// Translates what is written in the document itself.
export function translateDocument(root = document) {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll("[data-t-label]")) {
    node.setAttribute("aria-label", t(node.dataset.tLabel));
    if (node.matches("button, a")) node.title = t(node.dataset.tLabel);
  }
  for (const node of root.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
}

const locale = () => (language === "zh" ? "zh-CN" : "en-GB");

export const clock = (date) => date.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
export const clockExact = (date) => date.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const day = (date) => date.toLocaleDateString(locale(), { weekday: "long", day: "numeric", month: "long" });
export const moment = (date) => date.toLocaleString(locale());

export function bytes(size) {
  if (size == null) return "";
  if (size < 1024) return `${size} B`;
  const kib = size / 1024;
  return kib < 1024 ? `${kib.toFixed(kib < 10 ? 1 : 0)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}
