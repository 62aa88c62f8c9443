// Faces and emoji of reactions and texts.

import { t } from "./words.js";
import { el } from "./dom.js";

// Numbered faces of the platform, as the nearest emoji.
const FACES = {
  4: "😏", 5: "😢", 8: "😴", 9: "😭", 10: "😅", 12: "😜", 14: "🙂", 16: "😎", 21: "😊", 23: "😤", 24: "😋", 25: "😪",
  26: "😱", 27: "😓", 28: "😄", 29: "😌", 30: "💪", 32: "❓", 33: "🤫", 34: "😵", 38: "🔨", 39: "👋", 41: "🥶", 42: "😍",
  43: "🤸", 49: "🤗", 53: "🎂", 60: "☕", 63: "🌹", 66: "❤", 74: "☀", 75: "🌙", 76: "👍", 78: "🤝", 79: "✌", 85: "😘",
  89: "🍉", 96: "😰", 97: "😥", 98: "👃", 99: "👏", 100: "😖", 101: "😈", 106: "🥺", 109: "😗", 111: "🥹", 116: "😚",
  118: "🙏", 120: "👊", 122: "👌", 123: "👎", 124: "👌", 129: "👋", 144: "🎉", 147: "🍭", 171: "🍵", 173: "😭", 174: "🤷",
  175: "😋", 176: "😞", 179: "😀", 180: "😆", 181: "😝", 182: "😂", 183: "🥰", 201: "👍", 203: "🤦", 212: "😎", 214: "😘", 277: "🐶",
};

// Those that the picker offers: what a reaction's `type` and `id` say.
export const OFFERED = ["❤", "👍", "👎", "😄", "😂", "😮", "😢", "🎉", "👀", "🚀", "✅", "❓"].map((emoji) => ({ type: 2, id: String(emoji.codePointAt(0)) }));

// A reaction as text.
export function emojiOf({ type, id }) {
  if (Number(type) === 1) return FACES[id] ?? `[${id}]`;
  const point = Number(id);
  return Number.isInteger(point) && point > 31 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff) ? String.fromCodePoint(point) : `[${id}]`;
}

// A face within a text.
export function faceText(id) {
  return el("span", { className: "face", title: t("face", { id }) }, FACES[id] ?? `[${t("face", { id })}]`);
}
