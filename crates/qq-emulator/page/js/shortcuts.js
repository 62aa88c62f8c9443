// Keys that work everywhere.

import { $ } from "./dom.js";
import { showShortcuts } from "./dialogs.js";
import { close, isOpen, toggle } from "./inspector/panel.js";
import { step } from "./route.js";

const typing = (event) => event.target.matches?.("input, textarea, select, [contenteditable]");

export function startShortcuts() {
  $("help").onclick = showShortcuts;
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.isComposing) return;
    const { key, altKey, ctrlKey, metaKey } = event;
    if ((ctrlKey || metaKey) && key.toLowerCase() === "k") {
      document.body.dataset.view = "list";
      $("search").focus();
    } else if (altKey && key === "ArrowUp") step(-1);
    else if (altKey && key === "ArrowDown") step(1);
    else if (altKey && event.code === "KeyI") toggle();
    else if (key === "Escape" && isOpen() && !typing(event)) close();
    else if (key === "?" && !typing(event)) showShortcuts();
    else return;
    event.preventDefault();
  });
}
