// What stands where nothing was said yet.

import { $, el, icon } from "../dom.js";
import { connected, state } from "../store.js";
import { t } from "../words.js";
import { connectCard } from "../inspector/connect.js";

export function emptyState() {
  if (state.sessions !== null && !connected().length) {
    return el("div", { className: "empty" }, icon("bot"), el("h3", {}, t("emptyNoBot")), el("p", {}, t("emptyNoBotText")), connectCard());
  }
  const tries = ["!ping", "!help", t("hello")].map((text) => el("button", { type: "button", className: "chip", onclick: () => {
    $("text").value = text;
    $("text").dispatchEvent(new Event("input"));
    $("text").focus();
  } }, text));
  return el("div", { className: "empty" }, icon("chat"), el("h3", {}, t("emptyTitle")), el("p", {}, t("emptyText")), el("div", { className: "tries" }, tries));
}
