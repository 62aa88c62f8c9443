// Pictures, sounds, films, files. Only what the emulator itself keeps is loaded; what lies elsewhere
// is a link, because this page asks nobody else for anything.

import { el, icon } from "./dom.js";
import { bytes, t } from "./words.js";
import { showPicture } from "./dialogs.js";

// The address if it is one that a page may open, else null: no javascript:, data: or file:.
export function webAddress(text) {
  const address = /^[\w-]+(\.[\w-]+)+[/:]/.test(text) ? `https://${text}` : text;
  try {
    const url = new URL(address, location.origin);
    return url.protocol === "http:" || url.protocol === "https:" ? url : null;
  } catch {
    return null;
  }
}

// A link that opens elsewhere; what is no web address stays text.
export function externalLink(address, content) {
  const url = /^https?:\/\//i.test(address) ? webAddress(address) : null;
  return url ? el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, content) : el("span", {}, content);
}

// The path of a file that the emulator keeps, by whichever name it is reached; else null.
function ownPath(address) {
  const url = webAddress(address);
  const here = url && (url.origin === location.origin || (["127.0.0.1", "localhost"].includes(url.hostname) && url.port === location.port));
  return here && url.pathname.startsWith("/cos/file/") ? url.pathname : null;
}

// A picture within a text or below it.
export function picture(address, name) {
  const path = ownPath(address);
  if (!path) return elsewhere(address, name, "picture");
  const image = el("img", { src: path, alt: name || t("picture"), loading: "lazy", decoding: "async" });
  const button = el("button", { type: "button", className: "picture", "aria-label": t("enlarge", { name: name || t("picture") }) }, image);
  button.onclick = () => showPicture(path, image.alt);
  image.onerror = () => button.replaceWith(broken(name));
  return button;
}

function broken(name) {
  return el("span", { className: "file" }, icon("picture"), el("span", {}, name || t("picture"), el("small", {}, t("fileGone"))));
}

// What lies elsewhere.
function elsewhere(address, name, kind) {
  const url = webAddress(address);
  if (!url) return el("span", {}, name || address);
  const words = el("span", {}, name || t(kind), el("small", {}, t("elsewhere", { host: url.host })));
  return el("a", { className: "file", href: url.href, target: "_blank", rel: "noopener noreferrer" }, icon(kind === "picture" ? "picture" : "link"), words);
}

// An attachment of a user, or the media of a bot: { url, filename, content_type, size }.
export function attachment({ url, filename, content_type: type = "", size, voice_wav_url: wave }) {
  const path = ownPath(url ?? "");
  const kind = type ?? "";
  if (kind.startsWith("image/") && kind !== "image/svg+xml") return picture(url, filename);
  if (!path) return elsewhere(url ?? "", filename, "file");
  if (kind.startsWith("video/")) return el("video", { src: path, controls: true, preload: "metadata", "aria-label": filename || t("video") });
  if (kind.startsWith("audio/") || wave) return el("audio", { src: path, controls: true, preload: "metadata", "aria-label": filename || t("audio") });
  const words = el("span", {}, filename || t("file"), el("small", {}, bytes(size)));
  return el("a", { className: "file", href: path, download: filename || "", target: "_blank", rel: "noopener" }, icon("file"), words);
}
