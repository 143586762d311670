// Puts the page together: header, tabs of the phone, the three parts.

import { startBroker } from "./broker.js";
import { startChat } from "./chat.js";
import { $, api, clockTime, el, poll, redraw, toast } from "./dom.js";
import { worldIs } from "./equity.js";
import { startMarket } from "./market.js";

function showTab(name) {
  document.body.dataset.tab = name;
  document.dispatchEvent(new CustomEvent("tab-shown"));
  for (const button of document.querySelectorAll(".tabs button")) {
    button.setAttribute("aria-current", String(button.dataset.show === name));
  }
}

async function drawState() {
  const node = $("ready");
  const found = await api("/sim/state").catch(() => null);
  const waits = found && found.app_pid && !found.app_command; // a command is told only while no app runs
  const state = !found ? "gone" : found.ready ? "ready" : waits ? "waiting" : "absent";
  const words = { gone: "world stopped", ready: "app ready", waiting: "app not ready", absent: "no app" };
  node.dataset.state = state;
  node.textContent = words[state];
  document.body.dataset.app = state;
  drawDown(found);
  if (!found) return;
  worldIs(found.world_pid);
  drawStory(found.story || []);
}

/** The world knows how its app is started; it says so only while there is none. */
function drawDown(found) {
  const command = found && found.app_command;
  $("down").hidden = !command;
  if (command) $("down-command").textContent = command;
}

async function copyCommand() {
  try {
    await navigator.clipboard.writeText($("down-command").textContent);
    toast("Copied. Paste it into a terminal.");
  } catch {
    getSelection().selectAllChildren($("down-command"));
    toast("Selected: copy it with the keyboard.");
  }
}

/** What the narrator tells: the newest line, and all of them when opened. */
function drawStory(told) {
  $("story").hidden = !told.length;
  if (!told.length) return;
  $("story-now").textContent = told[told.length - 1].text;
  redraw($("story-all"), String(told.length), () =>
    told.map((one) => el("li", {}, el("time", { textContent: clockTime(one.at) }), ` ${one.text}`)));
}

async function drawClock() {
  const found = await api("/clock").catch(() => null);
  const now = found && found.now_ms ? new Date(found.now_ms) : new Date();
  $("clock").textContent = now.toISOString().slice(11, 19) + " UTC";
  $("clock").title = found ? `Market time ${now.toISOString().slice(0, 19)}Z` : "UTC; no market clock yet";
}

for (const button of document.querySelectorAll(".tabs button")) {
  button.addEventListener("click", () => showTab(button.dataset.show));
}
$("down-copy").addEventListener("click", copyCommand);
showTab("talk");
startChat(showTab);
startMarket();
startBroker();
poll(drawState);
poll(drawClock);
