// Light, dark, or as the system has it.

import { $, icon } from "./dom.js";
import { on } from "./bus.js";
import { saved, save } from "./prefs.js";
import { t } from "./words.js";

const NEXT = { auto: "light", light: "dark", dark: "auto" };
const ICONS = { auto: "auto", light: "sun", dark: "moon" };
const chosen = saved("theme");
let theme = NEXT[chosen] ? chosen : "auto";

function show() {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const label = t("theme", { theme: t(`theme_${theme}`) });
  $("theme").replaceChildren(icon(ICONS[theme]));
  $("theme").title = label;
  $("theme").setAttribute("aria-label", label);
}

export function startTheme() {
  show();
  on("language", show);
  $("theme").onclick = () => {
    theme = NEXT[theme];
    save("theme", theme === "auto" ? null : theme);
    show();
  };
}
