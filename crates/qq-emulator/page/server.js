// Calls to the emulator's control API.

import { t } from "./dom.js";

export const API = "/emulator/v1/";
const DEADLINE_MS = 10_000;

// GET without a body, POST with one. Throws an error whose message names the cause.
export async function call(path, body) {
  const post = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  let response;
  let text;
  try {
    response = await fetch(API + path, { ...(body === undefined ? {} : post), signal: AbortSignal.timeout(DEADLINE_MS) });
    text = await response.text();
  } catch {
    throw new Error(t("unreachable"));
  }
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    if (response.ok && text) throw new Error(t("notJson"));
  }
  if (!response.ok) throw new Error(answer?.error ?? `HTTP ${response.status}`);
  return answer;
}
