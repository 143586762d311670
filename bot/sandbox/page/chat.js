// The messenger: chat list, transcript, buttons that press, composer with the command menu.

import { $, api, attempt, clockTime, el, initials, poll, redraw, toast } from "./dom.js";
import { render } from "./entities.js";
import { beginRead, drawBadge, isNewer, markRead, unreadOf } from "./unread.js";

const WAIT_FOR_ANSWER_S = 8;
const NEAR_BOTTOM_PX = 120;

const GENERAL = 0; // the topic of what stands in none
const state = { chats: [], chatId: null, userId: null, version: -1, commands: [], last: null, topic: null, shown: null };
const scroll = { stick: true, top: 0 };
const waitingAlerts = new Map();

let showTab = () => {};

function current() {
  return state.chats.find((chat) => chat.chat_id === state.chatId);
}

function select(chat, userId) {
  state.chatId = chat.chat_id;
  state.userId = userId ?? chat.members[0].user_id;
  state.version = -1;
  state.last = null;
  state.topic = null;
  state.shown = null;
  scroll.stick = true;
  $("newer").hidden = true;
  $("alert").close();
  $("transcript").replaceChildren();
  drawHead();
  drawList();
  refresh();
  loadCommands();
  const waiting = waitingAlerts.get(state.chatId);
  if (waiting) showAlert(state.chatId, waiting);
  if (chat.members[0].role === "client") {
    document.dispatchEvent(new CustomEvent("client-chosen", { detail: chat.members[0].user_id }));
  }
}

async function loadCommands() {
  const query = `user_id=${state.userId}&chat_id=${state.chatId}`;
  const found = await attempt(() => api(`/sim/commands?${query}`));
  state.commands = found ? found.commands : [];
}

function drawList() {
  const signature = JSON.stringify([state.chats, state.chatId, state.chats.map(unreadOf)]);
  redraw($("chat-list"), signature, () =>
    state.chats.map((chat) => {
      const last = chat.last;
      const line = last ? `${last.from === "bot" ? "" : `${last.from}: `}${last.text}` : describe(chat);
      const button = el(
        "button",
        { type: "button", className: "chat", "aria-current": String(chat.chat_id === state.chatId) },
        el("span", { className: hue(chat), textContent: initials(chat.title), "aria-hidden": "true" }),
        el(
          "span",
          { className: "chat-text" },
          el(
            "span",
            { className: "chat-name" },
            el("span", { className: "clip", textContent: chat.title }),
            el("time", { textContent: last ? clockTime(last.at) : "" }),
          ),
          el("span", { className: "chat-last" }, el("span", { className: "clip", textContent: line }),
            unreadOf(chat) ? badge(unreadOf(chat)) : null),
        ),
      );
      button.addEventListener("click", () => {
        select(chat);
        showTab("talk");
      });
      return el("li", {}, button);
    }),
  );
}

function badge(count) {
  const node = el("span", { className: "badge" });
  drawBadge(node, count);
  return node;
}

/** On a phone the chats may be out of sight: their tabs say what waits behind them. */
function drawTabBadges() {
  const others = state.chats.filter((chat) => chat.chat_id !== state.chatId && unreadOf(chat));
  const here = current();
  drawBadge($("badge-chats"), others.length, "chats with new messages");
  drawBadge($("badge-talk"), here ? unreadOf(here) : 0);
}

function hue(chat) {
  return chat.members[0].role === "stranger" ? "avatar" : `avatar hue${Math.abs(chat.chat_id) % 7}`;
}

function describe(chat) {
  if (chat.type !== "private") return `${chat.members.map((one) => one.name).join(", ")} and the bot`;
  const role = { admin: "admin", client: "client", stranger: "stranger at first" }[chat.members[0].role];
  return chat.blocked ? `${role}, has blocked the bot` : `${role}, private chat`;
}

function drawHead() {
  const chat = current();
  if (!chat) return;
  $("talk-title").textContent = chat.title;
  $("talk-sub").textContent = describe(chat);
  $("talk-avatar").textContent = initials(chat.title);
  $("talk-avatar").className = hue(chat);
  $("block").hidden = chat.type !== "private";
  $("block").textContent = chat.blocked ? "Unblock bot" : "Block bot";
  redraw($("viewer"), JSON.stringify([chat.chat_id, chat.members, state.userId]), () =>
    chat.members.length < 2
      ? []
      : chat.members.map((member) => {
          const button = el("button", {
            type: "button",
            textContent: member.name,
            title: `Act as ${member.name}`,
            "aria-pressed": String(member.user_id === state.userId),
          });
          button.addEventListener("click", () => select(chat, member.user_id));
          return button;
        }),
  );
  const me = chat.members.find((member) => member.user_id === state.userId);
  $("words").placeholder = me ? `Message as ${me.name}` : "Message";
}

function pressable(message, button) {
  const node = el("button", {
    type: "button",
    className: `key ${button.style || ""}`,
    textContent: button.label,
    disabled: Boolean(button.disabled),
  });
  node.addEventListener("click", async () => {
    if (button.url) return void window.open(button.url, "_blank", "noopener");
    if (button.data === null) return undefined;
    node.classList.add("busy");
    const { chatId } = state;
    const answer = await attempt(() =>
      api("/sim/callback", {
        user_id: state.userId,
        chat_id: state.chatId,
        ...(message.ephemeral_id ? { ephemeral_message_id: message.ephemeral_id } : { message_id: message.id }),
        data: button.data,
        wait_s: WAIT_FOR_ANSWER_S,
      }),
    );
    node.classList.remove("busy");
    showAnswer(answer, chatId);
    return refresh();
  });
  return node;
}

/** An answer belongs to the chat it was pressed in: an alert waits there, a toast is for those present. */
function showAnswer(answer, chatId) {
  if (!answer) return;
  if (answer.answered && answer.text && answer.show_alert) showAlert(chatId, answer.text);
  else if (chatId !== state.chatId) return;
  else if (!answer.answered) toast("The bot has not answered yet.", "bad");
  else if (answer.text) toast(answer.text);
}

function showAlert(chatId, text) {
  if (chatId !== state.chatId) {
    waitingAlerts.set(chatId, text);
    return;
  }
  waitingAlerts.delete(chatId);
  $("alert-who").textContent = "Reckoner";
  $("alert-text").textContent = text;
  if (!$("alert").open) $("alert").show();
}

function bubble(message) {
  const mine = message.from_id === state.userId;
  const parts = [];
  if (!mine) parts.push(el("p", { className: "who", textContent: message.from === "bot" ? "Reckoner" : message.from }));
  if (message.topic) parts.push(el("p", { className: "topic", textContent: `# ${message.topic}` }));
  if (message.ephemeral_id) parts.push(el("p", { className: "only", textContent: "Only you see this" }));
  if (message.reply_to) parts.push(el("p", { className: "reply", textContent: `Reply to message ${message.reply_to}` }));
  if (message.photo) {
    const [width, height] = message.photo_size || [1200, 675];
    parts.push(el("img", { src: `/sim/file/${message.photo}`, alt: message.text || "Chart", width, height, loading: "lazy" }));
  }
  if (message.document) {
    parts.push(el("a", { className: "file", href: `/sim/file/${message.document}`, download: message.document_name || "file",
      textContent: message.document_name || "Document" }));
  }
  if (message.text) parts.push(el("div", { className: "words" }, ...render(message.text, message.entities)));
  const marks = [message.pinned ? "pinned" : "", message.edited ? "edited" : "", clockTime(message.at)];
  parts.push(el("p", { className: "marks", textContent: marks.filter(Boolean).join(" · ") }));
  const keys = message.buttons.map((row) => el("div", { className: "keys" }, ...row.map((one) => pressable(message, one))));
  const reactions = (message.reactions || []).map((one) => el("span", { className: "reaction", textContent: one }));
  return el("li", { className: mine ? "mine" : "theirs", "data-id": String(message.id) },
    el("div", { className: "bubble" }, ...parts, ...reactions), ...keys);
}

/** A forum's topics; one chosen shows its messages only, and is written to. */
function drawTopics(chat) {
  const all = chat.forum ? [{ id: null, name: "All" }, { id: GENERAL, name: "General" }, ...chat.topics] : [];
  $("topics").hidden = !all.length;
  redraw($("topics"), JSON.stringify([all, state.topic]), () =>
    all.map((topic) => {
      const button = el("button", { type: "button", textContent: topic.closed ? `${topic.name} (closed)` : topic.name,
        "aria-pressed": String(topic.id === state.topic) });
      button.addEventListener("click", () => {
        state.topic = topic.id;
        scroll.stick = true;
        drawTranscript(state.shown);
      });
      return button;
    }),
  );
}

function inTopic(message) {
  return state.topic === null || (message.topic_id || GENERAL) === state.topic;
}

function drawTranscript(chat) {
  state.shown = chat;
  if (!chat.topics.some((topic) => topic.id === state.topic) && state.topic !== GENERAL) state.topic = null;
  drawTopics(chat);
  const list = $("transcript");
  const old = new Map([...list.children].map((node) => [node.dataset.key, node]));
  const nodes = [];
  let day = "";
  for (const message of chat.messages.filter(inTopic)) {
    const date = new Date(message.at).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" });
    if (date !== day) {
      day = date;
      nodes.push(old.get(date) || Object.assign(el("li", { className: "day", "data-key": date }), { textContent: date }));
    }
    const key = `${state.userId}${JSON.stringify(message)}`;
    const node = old.get(key) || bubble(message);
    node.dataset.key = key;
    nodes.push(node);
  }
  if (!nodes.length) nodes.push(el("li", { className: "day", textContent: "Nothing said yet. Type / for what you can ask." }));
  list.replaceChildren(...nodes);
  drawPinned(chat, list);
  for (const image of list.querySelectorAll("img")) {
    if (!image.complete) image.addEventListener("load", keepPlace, { once: true });
  }
  const last = chat.messages.filter((message) => !message.ephemeral_id).pop() || null;
  if (!scroll.stick && state.last && isNewer(last, state.last)) $("newer").hidden = false;
  state.last = last;
  keepPlace();
}

function toEnd() {
  scroll.stick = true;
  keepPlace();
}

/** At the end for who reads the end; where they were for who has scrolled up. */
function keepPlace() {
  const list = $("transcript");
  if (!list.clientHeight) return; // another tab of the phone is shown
  list.scrollTop = scroll.stick ? list.scrollHeight : scroll.top;
  noteRead();
}

function noteScroll() {
  const list = $("transcript");
  if (!list.clientHeight) return;
  scroll.top = list.scrollTop;
  scroll.stick = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_BOTTOM_PX;
  noteRead();
}

/** What stands at the end is read once the end is in sight. */
function noteRead() {
  if (!scroll.stick || document.hidden) return;
  $("newer").hidden = true;
  if (state.last && markRead(state.chatId, state.last)) {
    drawList();
    drawTabBadges();
  }
}

function drawPinned(chat, list) {
  const pinned = chat.messages.filter((message) => message.pinned).pop();
  $("pinned").hidden = !pinned;
  if (pinned) {
    $("pinned").textContent = `Pinned: ${pinned.text.split("\n")[0] || "photo"}`;
    $("pinned").onclick = () => list.querySelector(`[data-id="${pinned.id}"]`)?.scrollIntoView({ block: "center" });
  }
}

async function refresh() {
  if (state.chatId === null) return;
  const { chatId, userId } = state;
  const chat = await api(`/sim/chat/${chatId}?since=${state.version}&user_id=${userId}`).catch(() => null);
  if (!chat || chatId !== state.chatId || userId !== state.userId) return;
  $("typing").hidden = !chat.typing;
  if (chat.unchanged) return;
  state.version = chat.version;
  drawTranscript(chat);
}

async function refreshList() {
  const found = await api("/sim/chats").catch(() => null);
  if (!found) return;
  const shown = found.chats.filter((chat) => (chat.type !== "private" && !chat.moved_to) || chat.members[0].role !== "admin" || chat.last);
  if (state.chatId === null) beginRead(found.chats);
  const order = { admin: 3, client: 1, stranger: 2 };
  const rank = (chat) => (chat.type !== "private" ? 0 : order[chat.members[0].role]);
  state.chats = shown.sort((a, b) => rank(a) - rank(b));
  if (state.chatId === null && state.chats.length) select(state.chats[0]);
  drawHead();
  drawList();
  drawTabBadges();
}

function drawMenu(open) {
  const typed = $("words").value;
  const matching = state.commands.filter((one) => `/${one.command}`.startsWith(typed || "/"));
  $("menu").hidden = !open || !matching.length;
  $("slash").setAttribute("aria-expanded", String(!$("menu").hidden));
  $("menu").replaceChildren(
    ...matching.map((one) => {
      const button = el("button", { type: "button" }, el("b", { textContent: `/${one.command}` }), ` ${one.description}`);
      button.addEventListener("click", () => {
        $("words").value = "";
        drawMenu(false);
        say(`/${one.command}`);
      });
      return el("li", {}, button);
    }),
  );
}

async function say(text) {
  if (!text.trim()) return;
  const words = { user_id: state.userId, chat_id: state.chatId, text };
  if (state.topic) words.message_thread_id = state.topic;
  await attempt(() => api("/sim/message", words));
  toEnd();
  await refresh();
}

export function startChat(onTab) {
  showTab = onTab;
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("words").value;
    $("words").value = "";
    drawMenu(false);
    say(text);
  });
  $("words").addEventListener("input", () => drawMenu($("words").value.startsWith("/") && !$("words").value.includes(" ")));
  $("slash").addEventListener("click", async () => {
    const open = $("menu").hidden;
    await loadCommands();
    if (open && !state.commands.length) toast("The bot has set no commands here yet.");
    $("words").value = "";
    drawMenu(open);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    drawMenu(false);
    $("alert").close();
  });
  $("block").addEventListener("click", async () => {
    await attempt(() => api("/sim/block", { user_id: state.userId, blocked: !current().blocked }));
    await refreshList();
  });
  $("transcript").addEventListener("scroll", noteScroll, { passive: true });
  $("newer").addEventListener("click", toEnd);
  document.addEventListener("visibilitychange", keepPlace);
  document.addEventListener("tab-shown", keepPlace);
  new ResizeObserver(keepPlace).observe($("transcript"));
  poll(refreshList);
  poll(refresh);
}
