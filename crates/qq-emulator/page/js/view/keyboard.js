// Buttons below a message: links, callbacks to the bot, commands.

import { el, icon } from "../dom.js";
import { post } from "../api.js";
import { ask } from "../dialogs.js";
import { externalLink, webAddress } from "../media.js";
import { emit } from "../bus.js";
import { state } from "../store.js";
import { failed, toast } from "../toast.js";
import { t } from "../words.js";
import { speaker } from "../composer.js";

const LINK = 0;
const CALLBACK = 1;
const COMMAND = 2;
const MOST_LABEL = 24; // characters; the platform takes 10
const SHOWN_MS = 2500;
const STYLES = { 0: "grey", 1: "blue", 2: "prompt", 3: "danger", 4: "primary" };
const CODES = { 1: "ack_failed", 2: "ack_frequent", 3: "ack_duplicate", 4: "ack_permission", 5: "ack_admins" };

const told = new Set(); // interactions whose outcome was shown
const began = Date.now();

export function rowsOf(item) {
  const rows = item.body?.keyboard?.content?.rows;
  return Array.isArray(rows) ? rows.slice(0, 10) : [];
}

export function keyboard(item) {
  const { keyboard: given } = item.body ?? {};
  if (!given || item.recalled) return null;
  if (!given.content) return el("p", { className: "template-note" }, t("keyboardTemplate", { id: String(given.id ?? "") }));
  return el("div", { className: "keyboard", role: "group", "aria-label": t("buttons") }, rowsOf(item).map((row, rowIndex) => el("div", { className: "keyboard-row" },
    (Array.isArray(row?.buttons) ? row.buttons.slice(0, 10) : []).map((button, column) => one(item, button ?? {}, rowIndex, column)))));
}

function one(item, button, row, column) {
  const { render_data: look = {}, action = {}, group_id: group } = button;
  const clicks = item.clicks.filter((click) => click.button[0] === row && click.button[1] === column);
  const last = clicks.at(-1);
  const visited = clicks.length > 0;
  const label = short(String((visited && look.visited_label) || look.label || look.visited_label || "…"));
  const style = STYLES[look.style] ?? "grey";
  const place = { row, column };
  if (action.type === LINK) {
    const url = webAddress(String(action.data ?? ""));
    if (url) {
      const link = externalLink(url.href, [el("span", {}, label), icon("link")]);
      link.className = `key ${style}`;
      link.dataset.button = `${row}.${column}`;
      return link;
    }
  }
  const why = refusal(item, action.permission);
  const siblings = group && item.clicks.some((click) => rowsOf(item)[click.button[0]]?.buttons?.[click.button[1]]?.group_id === group);
  const phase = last ? phaseOf(last) : "";
  const node = el("button", {
    type: "button",
    className: `key ${style}${visited ? " visited" : ""}`,
    disabled: Boolean(why) || Boolean(siblings) || phase === "pending" || ![CALLBACK, COMMAND].includes(action.type),
    title: why || (siblings ? t("buttonUsed") : ""),
    dataset: { button: `${row}.${column}`, phase },
  }, el("span", {}, label), mark(phase, action.type));
  if (phase === "pending") node.setAttribute("aria-busy", "true");
  node.onclick = () => press(item, action, place, node);
  if (last) tell(item, last, label);
  return node;
}

const short = (text) => (text.length > MOST_LABEL ? `${text.slice(0, MOST_LABEL)}…` : text);

function mark(phase, type) {
  if (phase === "pending") return el("span", { className: "spinner", role: "img", "aria-label": t("waitingForBot") });
  if (phase === "ok") return icon("check");
  if (phase === "failed" || phase === "late") return icon("alert");
  return type === COMMAND ? icon("arrowOut") : null;
}

function phaseOf({ code, late }) {
  if (code === 0) return "ok";
  if (code != null) return "failed";
  return late ? "late" : "pending";
}

// Says once what came of a press, unless it was long ago.
function tell(item, click, label) {
  const phase = phaseOf(click);
  if (phase === "pending" || told.has(click.interaction)) return;
  told.add(click.interaction);
  if (told.size > 500) told.delete(told.values().next().value);
  if (Date.now() - began < SHOWN_MS || !pressedHere.delete(click.interaction)) return;
  if (phase === "late") toast(t("ack_none", { label }));
  else if (phase === "failed") toast(t(CODES[click.code] ?? "ack_other", { label, code: click.code }));
  else toast(t("ack_ok", { label }), "good");
}

const pressedHere = new Set();

// Why the speaker may not press it; null if nothing is against it.
function refusal(item, permission) {
  const user = speaker();
  if (!user || !permission) return null;
  const own = (list) => Array.isArray(list) && list.map(String).includes(user.id);
  if (permission.type === 0 && !own(permission.specify_user_ids)) return t("forListed");
  if (permission.type === 1 && user.role === "member" && (item.scene === "group" || item.scene === "channel")) return t("forAdmins");
  if (permission.type === 3 && !(user.roles ?? []).some((role) => (permission.specify_role_ids ?? []).map(String).includes(role))) return t("forRoles");
  return null;
}

async function press(item, action, place, node) {
  if (action.modal?.content && !await ask(String(action.modal.content), action.modal.confirm_text, action.modal.cancel_text)) return;
  if (action.type === COMMAND) {
    emit("command", { text: String(action.data ?? ""), sends: Boolean(action.enter), reply: action.reply ? item : null });
    return;
  }
  node.disabled = true;
  try {
    const { interaction_id: id } = await post("clicks", { message_id: item.message_id, ...place, author: speaker()?.id });
    pressedHere.add(id);
    // The outcome may have come before the answer.
    const click = state.messages.get(item.message_id)?.clicks.find((one) => one.interaction === id);
    if (click && phaseOf(click) !== "pending") {
      told.delete(id);
      tell(item, click, node.textContent);
    }
  } catch (error) {
    node.disabled = false;
    failed(t("press"), error);
  }
}
