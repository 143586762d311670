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
  try {
    localStorage.setItem(KEY, JSON.stringify(read));
  } catch {
    // Without a storage, chats are new again after a reload; nothing else.
  }
  return true;
}

export function drawBadge(node, count, what = "new messages") {
  node.hidden = !count;
  node.textContent = count > COUNT_MAX ? `${COUNT_MAX}+` : String(count || "");
  node.title = `${count} ${what}`;
}
