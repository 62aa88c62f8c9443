// Speaking: as whom, to whom, with what.

import { $, el, icon } from "./dom.js";
import { post, upload } from "./api.js";
import { emit, on } from "./bus.js";
import { askName } from "./dialogs.js";
import { saved, save } from "./prefs.js";
import { state } from "./store.js";
import { failed, toast } from "./toast.js";
import { bytes, t } from "./words.js";
import { preview } from "./view/preview.js";

const MOST_FILES = 9;
const MOST_BYTES = 16 * 1024 * 1024;

const drafts = new Map(); // by conversation: { text, files, reply }
let files = []; // { name, kind, size, address, attachment: Promise }
let replying = null;
let openKey = null;
let sending = false;

// Who speaks in the open conversation: { id, name, role, roles? }.
export function speaker() {
  return state.current?.speakers.find((one) => one.id === $("speaker").value) ?? null;
}

export function startComposer() {
  on("opened", ({ before }) => {
    if (before) drafts.set(before, { text: $("text").value, files, reply: replying });
    openKey = state.current?.key ?? null;
    const draft = drafts.get(state.current?.key) ?? { text: "", files: [], reply: null };
    $("text").value = draft.text;
    files = draft.files;
    replying = draft.reply;
    showSpeakers();
    showAll();
  });
  on("begun", () => {
    // What was typed outlives the emulator, what it answers does not.
    drafts.clear();
    if (openKey) drafts.set(openKey, { text: $("text").value, files: [], reply: null });
    replying = null;
  });
  on("world-changed", showSpeakers);
  on("language", showAll);
  on("reply", (item) => {
    replying = item;
    showAll();
    $("text").focus();
  });
  on("command", ({ text, sends, reply }) => {
    if (reply) replying = reply;
    if (sends) return send(text);
    $("text").value = text;
    showAll();
    $("text").focus();
  });
  $("composer").onsubmit = (event) => {
    event.preventDefault();
    send();
  };
  $("text").oninput = fit;
  $("text").onkeydown = (event) => {
    // While an input method composes, keys belong to it.
    if (event.isComposing) return;
    if (event.key === "Escape" && replying) {
      event.stopPropagation();
      replying = null;
      showAll();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    }
  };
  $("speaker").onchange = () => {
    save(`speaker.${state.current.key}`, $("speaker").value);
    emit("speaker-changed");
  };
  $("mention").onchange = () => save(`mention.${state.current.scene}`, $("mention").checked ? "yes" : "no");
  $("add-user").onclick = addUser;
  takeFiles();
  addEventListener("resize", fit);
}

// ---- who

function showSpeakers() {
  if (!state.current) return;
  const { key, scene, speakers } = state.current;
  const wanted = saved(`speaker.${key}`);
  $("speaker").replaceChildren(...speakers.map((user) => el("option", { value: user.id }, user.name)));
  if (speakers.some((user) => user.id === wanted)) $("speaker").value = wanted;
  $("speaker").disabled = speakers.length < 2;
  $("mention-chip").hidden = scene !== "group" && scene !== "channel";
  $("mention").checked = saved(`mention.${scene}`) !== "no";
  emit("speaker-changed");
}

function addUser() {
  askName(t("addUser"), t("name"), async (name) => {
    const user = await post("users", { name });
    const { current } = state;
    if (current && ["group", "channel"].includes(current.scene)) save(`speaker.${current.key}`, current.scene === "group" ? user.openid : user.id);
    toast(t("userAdded", { name: user.name }), "good");
  });
}

// ---- what

function showAll() {
  showReply();
  showFiles();
  fit();
}

function fit() {
  const box = $("text");
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
  $("send").disabled = sending || (!box.value.trim() && !files.length);
}

function showReply() {
  $("replying").hidden = !replying;
  if (!replying) return;
  const close = el("button", { type: "button", className: "icon-button", "aria-label": t("cancelReply"), onclick: () => {
    replying = null;
    showAll();
    $("text").focus();
  } }, icon("close"));
  $("replying").replaceChildren(icon("reply"), el("p", {}, el("b", {}, replying.author.name), " ", preview(replying)), close);
}

function showFiles() {
  $("pending").hidden = !files.length;
  $("pending").replaceChildren(...files.map((file) => el("li", {},
    file.address ? el("img", { src: file.address, alt: "" }) : icon("file"),
    el("span", {}, file.name, el("small", {}, bytes(file.size))),
    el("button", { type: "button", className: "icon-button", "aria-label": t("removeFile", { name: file.name }), onclick: () => {
      drop(file);
      showAll();
    } }, icon("close")))));
}

function drop(file) {
  files = files.filter((one) => one !== file);
  if (file.address) URL.revokeObjectURL(file.address);
}

function addFiles(list) {
  for (const file of list) {
    if (files.length >= MOST_FILES) {
      toast(t("tooMany", { n: MOST_FILES }));
      break;
    }
    if (!file.size || file.size > MOST_BYTES) {
      toast(t("tooLarge", { name: file.name, size: bytes(MOST_BYTES) }));
      continue;
    }
    const picture = file.type.startsWith("image/") && file.type !== "image/svg+xml";
    const added = { name: file.name || t("picture"), kind: file.type, size: file.size, address: picture ? URL.createObjectURL(file) : null };
    added.attachment = describe(file, picture);
    added.attachment.catch((error) => {
      drop(added);
      showAll();
      failed(added.name, error);
    });
    files.push(added);
  }
  showAll();
}

// Uploads a file; pictures get their measures, as the platform says them.
async function describe(file, picture) {
  const [kept, measures] = await Promise.all([upload(file), picture ? measure(file) : {}]);
  const { width, height } = measures;
  return width ? { ...kept, width, height } : { ...kept, width: 0, height: 0 };
}

async function measure(file) {
  try {
    const { width, height } = await createImageBitmap(file);
    return { width, height };
  } catch {
    return {};
  }
}

// By the button, by pasting, by dropping.
function takeFiles() {
  $("attach").onclick = () => $("file").click();
  $("file").onchange = () => {
    addFiles($("file").files);
    $("file").value = "";
    $("text").focus();
  };
  $("text").onpaste = (event) => {
    const { files: pasted } = event.clipboardData;
    if (!pasted.length) return;
    event.preventDefault();
    addFiles(pasted);
  };
  const chat = $("chat");
  const carries = (event) => state.current && event.dataTransfer?.types.includes("Files");
  let depth = 0;
  chat.addEventListener("dragenter", (event) => {
    if (!carries(event)) return;
    depth += 1;
    $("drop-here").hidden = false;
  });
  chat.addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (!depth) $("drop-here").hidden = true;
  });
  addEventListener("dragover", (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
  addEventListener("drop", (event) => {
    depth = 0;
    $("drop-here").hidden = true;
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    if (state.current) addFiles(event.dataTransfer.files);
  });
}

// ---- sending

async function send(command) {
  const conversation = state.current;
  const content = (command ?? $("text").value).trim();
  const sent = command ? [] : files;
  const reply = replying;
  if (!conversation || (!content && !sent.length) || sending) return;
  sending = true;
  fit();
  try {
    const attachments = await Promise.all(sent.map((file) => file.attachment));
    const body = { scene: conversation.scene, conversation: conversation.id, author: $("speaker").value || undefined, content, attachments };
    if (!$("mention-chip").hidden) body.mention_bot = $("mention").checked;
    if (reply && !reply.recalled) body.reply_to = reply.message_id;
    await post("messages", body);
    forget(conversation, command ? null : content, sent);
    emit("sent");
  } catch (error) {
    failed(t("send"), error);
  }
  sending = false;
  showAll();
}

// What was sent is no draft any more; what was typed meanwhile is.
function forget(conversation, content, sent) {
  if (conversation !== state.current) {
    drafts.delete(conversation.key);
    return;
  }
  if ($("text").value.trim() === content) $("text").value = "";
  for (const file of sent) drop(file);
  replying = null;
}
