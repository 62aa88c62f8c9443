// Time, the settings that change what a bot meets, its webhook, and beginning anew.

import { $, el } from "../dom.js";
import { get, patch, post } from "../api.js";
import { on } from "../bus.js";
import { advanced, now } from "../clock.js";
import { ask } from "../dialogs.js";
import { failed, toast } from "../toast.js";
import { clockExact, day, t } from "../words.js";

const STEPS = [["plus1", 60_000], ["plus5", 300_000], ["plus60", 3_600_000]];
// A list of values is a choice, none is a switch.
const GROUPS = {
  behaviour: { message_audit: ["off", "pass", "reject", "never"], strict: null, require_session: null, private_domain: null, route_limits: null },
  allowed: { allow_urls: null, allow_markdown: null, allow_keyboards: null, allow_ark: null },
  contradictions: {
    mention_delivery: ["at", "full", "both"],
    error_body: ["both", "err_code"],
    ungranted_intents: ["close", "invalid_session"],
    duplicate_shard: ["both", "replace"],
    identify_pace: ["ignore", "record", "refuse"],
    typing_costs_budget: null,
    expires_in_as_number: null,
    reaction_target_as_number: null,
    empty_schedules_as_null: null,
    forum_ids_as_numbers: null,
  },
};

const ui = {};
let settings = null;

export function buildSettings(panel) {
  ui.panel = panel;
  on("clock", showClock);
  on("ready", read);
  on("language", show);
  setInterval(() => { if (!document.hidden && ui.now?.offsetParent) showClock(); }, 1000);
  show();
}

async function read() {
  try {
    const [all, webhooks] = await Promise.all([get("settings"), get("webhook")]);
    settings = all;
    ui.webhooks = webhooks;
    show();
  } catch {
    // The stream ends, too, and begins anew.
  }
}

function show() {
  ui.now = el("p", { className: "now", id: "now" });
  const advance = STEPS.map(([name, ms]) => el("button", { type: "button", className: "button", dataset: { advance: String(ms) }, onclick: () => move(ms) }, t(name)));
  ui.panel.replaceChildren(
    el("h3", {}, t("time")), el("p", { className: "hint" }, t("timeHint")), ui.now, el("div", { className: "buttons start" }, advance),
    ...Object.entries(GROUPS).flatMap(([group, rows]) => [
      el("h3", {}, t(`group_${group}`)), group === "contradictions" ? el("p", { className: "hint" }, t("contradictionsHint")) : "",
      el("div", { className: "settings" }, Object.entries(rows).map(([key, options]) => setting(key, options)))]),
    el("h3", {}, t("webhook")), el("p", { className: "hint" }, t("webhookHint")), webhook(),
    el("h3", {}, t("begin")), el("div", { className: "buttons start" },
      el("button", { type: "button", className: "button", id: "expire-tokens", onclick: expire }, t("expireTokens")),
      el("button", { type: "button", className: "button danger", id: "reset", onclick: reset }, t("reset"))));
  showClock();
}

function showClock() {
  const ahead = Math.round(advanced() / 60_000);
  ui.now.replaceChildren(el("b", {}, clockExact(now())), ` ${day(now())}`, ahead ? el("span", { className: "tag warn" }, t("ahead", { n: ahead })) : "");
}

async function move(ms) {
  try {
    await post("clock", { advance_ms: ms });
  } catch (error) {
    failed(t("time"), error);
  }
}

function setting(key, options) {
  const label = el("span", {}, t(`setting_${key}`), el("small", {}, key));
  const input = options
    ? el("select", {}, options.map((value) => el("option", { value }, t(`value_${value}`))))
    : el("input", { type: "checkbox", role: "switch" });
  input.id = `setting-${key}`;
  input.disabled = settings === null;
  if (options) input.value = settings?.[key] ?? options[0];
  else input.checked = settings?.[key] ?? false;
  input.onchange = () => change(key, options ? input.value : input.checked);
  return el("label", { className: options ? "setting" : "setting switch" }, label, input);
}

async function change(key, value) {
  try {
    settings = await patch("settings", { [key]: value });
  } catch (error) {
    failed(t(`setting_${key}`), error);
  }
  const focus = document.activeElement?.id;
  show();
  if (focus) $(focus)?.focus();
}

// ---- webhook

function webhook() {
  const known = ui.webhooks?.[0];
  const input = el("input", { type: "url", id: "webhook-url", placeholder: "http://127.0.0.1:8080/webhook", value: known?.url ?? "", "aria-label": t("webhook"), autocomplete: "off" });
  const form = el("form", { className: "webhook" }, input,
    el("div", { className: "buttons start" },
      el("button", { type: "submit", className: "button primary" }, t("set")),
      known ? el("button", { type: "button", className: "button", onclick: () => setWebhook(null) }, t("remove")) : ""),
    known ? el("p", { className: "hint" }, t("webhookState", known)) : "");
  form.onsubmit = (event) => {
    event.preventDefault();
    if (input.value.trim()) setWebhook(input.value.trim());
  };
  return form;
}

async function setWebhook(url) {
  try {
    const { ok, why } = await post("webhook", { url });
    if (!ok) throw new Error(why);
    toast(t(url ? "webhookSet" : "webhookGone"), "good");
    await read();
  } catch (error) {
    failed(t("webhook"), error);
  }
}

// ---- anew

async function expire() {
  try {
    await post("tokens/expire", {});
    toast(t("tokensExpired"), "good");
  } catch (error) {
    failed(t("expireTokens"), error);
  }
}

async function reset() {
  if (!await ask(t("resetQuestion"), t("reset"), t("cancel"))) return;
  try {
    await post("reset", {});
  } catch (error) {
    failed(t("reset"), error);
  }
}
