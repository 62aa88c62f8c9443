// Dialogs: a question, a name, a picture, the shortcuts. The browser keeps the keyboard inside.

import { $, el, icon } from "./dom.js";
import { t } from "./words.js";

function open(content, properties = {}) {
  const dialog = el("dialog", properties, content);
  const back = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (back?.isConnected) back.focus({ preventScroll: true });
  });
  // A press beside it closes it.
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  $("dialogs").append(dialog);
  dialog.showModal();
  return dialog;
}

const closeButton = () => el("button", { type: "button", className: "icon-button dialog-close", "aria-label": t("close"), onclick: (event) => event.currentTarget.closest("dialog").close() }, icon("close"));

// Asks before something is done; true if it shall be.
export function ask(text, yes, no) {
  return new Promise((answer) => {
    const form = el("form", { method: "dialog", className: "question" },
      el("p", {}, text),
      el("div", { className: "buttons" },
        el("button", { value: "no", className: "button" }, no || t("cancel")),
        el("button", { value: "yes", className: "button primary" }, yes || t("ok"))));
    const dialog = open(form, { "aria-label": text });
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"));
  });
}

// Asks for a name until `take` accepts it; `take` throws an error that says why not.
export function askName(title, label, take) {
  const input = el("input", { type: "text", maxLength: 32, required: true, autocomplete: "off" });
  const why = el("p", { className: "why", role: "alert" });
  const form = el("form", { className: "question" },
    el("h2", {}, title),
    el("label", {}, el("span", {}, label), input),
    why,
    el("div", { className: "buttons" },
      el("button", { type: "button", className: "button", onclick: () => dialog.close() }, t("cancel")),
      el("button", { type: "submit", className: "button primary" }, t("add"))));
  const dialog = open(form, { "aria-label": title });
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await take(input.value.trim());
      dialog.close();
    } catch (error) {
      why.textContent = error.message;
      input.focus();
    }
  };
  input.focus();
}

export function showPicture(path, name) {
  open([closeButton(), el("img", { src: path, alt: name })], { className: "lightbox", "aria-label": name });
}

export function showShortcuts() {
  const row = (keys, what) => el("div", {}, el("dt", {}, keys.map((key) => el("kbd", {}, key))), el("dd", {}, t(what)));
  open([closeButton(), el("h2", {}, t("shortcuts")), el("dl", { className: "shortcuts" },
    row(["Enter"], "keySend"), row(["Shift", "Enter"], "keyLine"), row(["Alt", "↑"], "keyPrevious"), row(["Alt", "↓"], "keyNext"),
    row(["Ctrl", "K"], "keyFind"), row(["Alt", "I"], "keyInspector"), row(["↑", "↓"], "keyMessages"), row(["R"], "keyReply"), row(["Esc"], "keyEscape"), row(["?"], "keyHelp"))],
  { className: "card", "aria-label": t("shortcuts") });
}
