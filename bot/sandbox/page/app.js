// Puts the page together: header, tabs of the phone, the three parts.

import { startBroker } from "./broker.js";
import { startChat } from "./chat.js";
import { $, api, clockTime, el, poll, redraw } from "./dom.js";
import { startMarket } from "./market.js";

function showTab(name) {
  document.body.dataset.tab = name;
  for (const button of document.querySelectorAll(".tabs button")) {
    button.setAttribute("aria-current", String(button.dataset.show === name));
  }
}

async function drawState() {
  const node = $("ready");
  const found = await api("/sim/state").catch(() => null);
  const state = !found ? "gone" : found.ready ? "ready" : found.app_pid ? "waiting" : "absent";
  const words = { gone: "world stopped", ready: "app ready", waiting: "app not ready", absent: "no app" };
  node.dataset.state = state;
  node.textContent = words[state];
  document.body.dataset.app = state;
  if (found) drawStory(found.story || []);
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
showTab("talk");
startChat(showTab);
startMarket();
startBroker();
poll(drawState);
poll(drawClock);
