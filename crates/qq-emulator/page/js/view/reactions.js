// Reactions below a message, and the picker.

import { el } from "../dom.js";
import { post } from "../api.js";
import { emojiOf, OFFERED } from "../faces.js";
import { personName } from "../store.js";
import { failed } from "../toast.js";
import { t } from "../words.js";
import { speaker } from "../composer.js";

export function reactions(item) {
  if (!item.reactions.length || item.recalled) return null;
  const own = speaker()?.id;
  return el("div", { className: "reactions" }, item.reactions.map((reaction) => {
    const names = reaction.users.slice(0, 20).map(personName).join(", ");
    const emoji = emojiOf(reaction);
    const button = el("button", {
      type: "button",
      className: "reaction",
      title: names,
      "aria-label": t("reactionOf", { emoji, names }),
      "aria-pressed": String(reaction.users.includes(own)),
    }, el("span", { className: "face" }, emoji), String(reaction.users.length));
    button.onclick = () => react(item, reaction, reaction.users.includes(own));
    return button;
  }));
}

export async function react(item, { type, id }, remove) {
  try {
    await post("reactions", { message_id: item.message_id, type: Number(type), id: String(id), author: speaker()?.id, remove });
  } catch (error) {
    failed(t("react"), error);
  }
}

// Faces to choose from, at a button.
export function pick(item, anchor) {
  document.querySelector(".picker")?.remove();
  const own = speaker()?.id;
  const has = (offer) => item.reactions.some((one) => Number(one.type) === 2 && one.id === offer.id && one.users.includes(own));
  const picker = el("div", { className: "picker", role: "menu", "aria-label": t("react") }, OFFERED.map((offer) => {
    const emoji = emojiOf(offer);
    return el("button", { type: "button", role: "menuitemcheckbox", "aria-checked": String(has(offer)), "aria-label": emoji, className: "face", onclick: () => {
      close();
      react(item, offer, has(offer));
    } }, emoji);
  }));
  const close = () => {
    picker.remove();
    document.removeEventListener("pointerdown", outside, true);
    if (anchor.isConnected) anchor.focus();
  };
  const outside = (event) => { if (!picker.contains(event.target)) close(); };
  picker.onkeydown = (event) => {
    const all = [...picker.children];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  anchor.closest(".message").append(picker);
  picker.firstElementChild.focus();
  document.addEventListener("pointerdown", outside, true);
}
