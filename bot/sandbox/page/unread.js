// What has been read, per chat: kept over reloads, so that read chats stay read.

const KEY = "reckoner-read";
const COUNT_MAX = 99;

const read = load();

function load() {
  try {
    return JSON.parse(localStorage.getItem(KEY) || "{}") || {};
  } catch {
    return {};
  }
}

/** Newer by number, or by time: a world begun anew counts from one again. */
export function isNewer(message, than) {
  return Boolean(message) && (message.id > than.id || message.at > than.at);
}

/** When this browser sees the page first, what is there already is history, and read. */
export function beginRead(chats) {
  for (const chat of chats) {
    if (!read[chat.chat_id]) read[chat.chat_id] = chat.last ? { id: chat.last.id, at: chat.last.at } : { id: 0, at: "" };
  }
  keep();
}

function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify(read));
  } catch {
    // Without a storage, what came before a reload is history after it; nothing else.
  }
}

/** How many messages came to a chat since it was last read. */
export function unreadOf(chat) {
  const seen = read[chat.chat_id];
  if (!chat.last) return 0;
  if (!seen) return chat.last.id;
  if (!isNewer(chat.last, seen)) return 0;
  return chat.last.id > seen.id ? chat.last.id - seen.id : chat.last.id;
}

/** Remember the last message seen in a chat; true where that changed something. */
export function markRead(chatId, last) {
  const seen = read[chatId];
  if (seen && !isNewer(last, seen)) return false;
  read[chatId] = { id: last.id, at: last.at };
  keep();
  return true;
}

export function drawBadge(node, count, what = "new messages") {
  node.hidden = !count;
  node.textContent = count > COUNT_MAX ? `${COUNT_MAX}+` : String(count || "");
  node.title = `${count} ${what}`;
}
