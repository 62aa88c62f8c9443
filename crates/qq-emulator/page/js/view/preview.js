// A message in one line.

import { oneLine } from "../markdown.js";
import { t } from "../words.js";

export function preview(item) {
  if (item.recalled) return t("recalled");
  const text = /^\[(embed|ark|image|file_image|media|markdown)\]$/.test(item.content) ? "" : item.content;
  if (text.trim()) return item.body?.markdown ? oneLine(text.slice(0, 400).replace(/^\s*(#+|>|[-*+]|\d+\.)\s+/gm, "").replace(/[*~`]+|__/g, "")) : oneLine(text);
  const { body, media, attachments = [] } = item;
  const type = media?.content_type ?? attachments[0]?.content_type ?? "";
  if (body?.embed) return body.embed.prompt || body.embed.title || t("card");
  if (body?.ark) return t("card");
  if (body?.image || body?.file_image || type.startsWith("image/")) return t("picture");
  if (type.startsWith("video/")) return t("video");
  if (type.startsWith("audio/")) return t("audio");
  if (body?.media || attachments.length) return attachments[0]?.filename || media?.filename || t("file");
  return t("emptyMessage");
}
