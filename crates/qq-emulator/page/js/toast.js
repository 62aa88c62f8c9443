// Short news in the corner.

import { $, el, icon } from "./dom.js";
import { t } from "./words.js";

const MOST = 3;

export function toast(text, kind = "error") {
  const close = el("button", { type: "button", className: "icon-button", "aria-label": t("dismiss") }, icon("close"));
  const box = el("div", { className: `toast ${kind}`, role: kind === "error" ? "alert" : "status" }, el("p", {}, text), close);
  close.onclick = () => box.remove();
  for (const other of [...$("toasts").children]) if (other.textContent === text) other.remove();
  $("toasts").append(box);
  while ($("toasts").children.length > MOST) $("toasts").firstElementChild.remove();
  setTimeout(() => box.remove(), kind === "error" ? 12_000 : 5000);
}

export const failed = (what, error) => toast(t("failed", { what, cause: error.message }));

export function copyButton(what, value, name = "copy") {
  const label = t("copy", { what });
  const button = el("button", { type: "button", className: "icon-button", "aria-label": label, title: label }, icon(name));
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(typeof value === "function" ? value() : value);
      button.replaceChildren(icon("check"));
      setTimeout(() => button.replaceChildren(icon(name)), 1500);
    } catch (error) {
      toast(t("copyFailed", { cause: error.message }));
    }
  };
  return button;
}
