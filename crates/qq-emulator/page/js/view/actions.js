// What can be done with a message. One bar of buttons serves all: it goes to the message that the
// pointer or the keyboard is at.

import { $, el, icon } from "../dom.js";
import { post } from "../api.js";
import { emit, on } from "../bus.js";
import { state } from "../store.js";
import { copyButton, failed } from "../toast.js";
import { t } from "../words.js";
import { speaker } from "../composer.js";
import { showItem } from "../inspector/message.js";
import { pick } from "./reactions.js";

let bar = null;
let item = null;

export function startActions() {
  const log = $("log-content");
  const at = (event) => event.target.closest(".message");
  log.addEventListener("pointerover", (event) => { if (event.pointerType === "mouse") show(at(event)); });
  log.addEventListener("focusin", (event) => show(at(event)));
  log.addEventListener("click", (event) => { if (!event.target.closest("button, a, .actions, .picker")) show(at(event)); });
  $("log").addEventListener("pointerleave", () => { if (!bar?.contains(document.activeElement) && !document.querySelector(".picker")) hide(); });
  on("opened", hide);
  on("speaker-changed", hide);
  log.addEventListener("keydown", (event) => {
    if (event.target.matches(".message") && event.key.toLowerCase() === "r" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      reply();
    }
  });
}

function hide() {
  bar?.remove();
  bar = null;
  item = null;
}

function show(node) {
  const found = node && state.messages.get(node.dataset.id);
  if (!found) return;
  if (found === item && bar?.isConnected && bar.dataset.recalled === String(found.recalled)) return;
  hide();
  item = found;
  bar = el("div", { className: "actions", role: "toolbar", "aria-label": t("actions"), dataset: { recalled: String(found.recalled) } }, buttons());
  node.append(bar);
}

const action = (name, label, onclick) => el("button", { type: "button", className: "icon-button", title: t(label), "aria-label": t(label), dataset: { action: label }, onclick }, icon(name));

function buttons() {
  const quotable = !item.recalled && !item.streaming && !item.audit;
  const own = !item.author.bot && item.author.id === speaker()?.id;
  return [
    quotable && action("reply", "reply", reply),
    quotable && item.scene === "channel" && action("face", "react", (event) => pick(item, event.currentTarget)),
    !item.recalled && copyButton(t("message"), () => item.content),
    quotable && own && action("undo", "recall", recall),
    action("braces", "inspect", () => showItem(item)),
  ];
}

function reply() {
  if (item && !item.recalled && !item.audit) emit("reply", item);
}

async function recall() {
  try {
    await post("recalls", { message_id: item.message_id });
    hide();
    $("text").focus();
  } catch (error) {
    failed(t("recall"), error);
  }
}
