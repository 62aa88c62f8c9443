// The chat page: people on this side, the bot under test on the other. Modules are started once;
// from then on they are moved by the feed, by the address and by whoever sits before it.

import { $ } from "./dom.js";
import { on } from "./bus.js";
import { switchLanguage, translateDocument } from "./words.js";
import { startTheme } from "./theme.js";
import { startList } from "./view/list.js";
import { startChat } from "./view/chat.js";
import { goToEnd, startLog } from "./view/log.js";
import { startActions } from "./view/actions.js";
import { startComposer } from "./composer.js";
import { startInspector } from "./inspector/panel.js";
import { startShortcuts } from "./shortcuts.js";
import { startRoute } from "./route.js";
import { follow } from "./stream.js";

translateDocument();
startTheme();
startRoute();
startList();
startChat();
startLog();
startActions();
startComposer();
startInspector();
startShortcuts();
$("language").onclick = switchLanguage;
on("sent", goToEnd);
follow();
