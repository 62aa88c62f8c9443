// A message as the emulator knows it.

import { showDetail } from "./traffic.js";
import { openTab } from "./panel.js";
import { state } from "../store.js";
import { t } from "../words.js";

// Shows a message; a bot's with the call that sent it, if that is still known.
export function showItem(item) {
  const { streaming, ...shown } = state.messages.get(item.message_id) ?? item;
  openTab("traffic");
  showDetail({ title: t("message"), meta: [[t("id"), item.message_id], [t("from"), item.author.name]], parts: [[item.author.bot ? t("requestBody") : t("message"), item.body ?? shown], ...(item.body ? [[t("message"), shown]] : [])] });
}
