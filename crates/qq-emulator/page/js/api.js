// The control API. Errors say in words what went wrong.

import { t } from "./words.js";

export const API = "/emulator/v1/";
const DEADLINE_MS = 15_000;

async function request(path, options) {
  let response;
  let text;
  try {
    response = await fetch(API + path, { ...options, signal: AbortSignal.timeout(DEADLINE_MS) });
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

function json(method, path, body) {
  return request(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

export const get = (path) => request(path, {});
export const post = (path, body) => json("POST", path, body);
export const patch = (path, body) => json("PATCH", path, body);
export const remove = (path) => request(path, { method: "DELETE" });

// Keeps a file; gives an attachment of a message.
export function upload(file) {
  const name = encodeURIComponent(file.name || "");
  return request(`files?name=${name}`, { method: "POST", headers: { "content-type": "application/octet-stream" }, body: file });
}
