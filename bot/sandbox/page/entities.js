// Telegram text and entities -> DOM. Offsets are UTF-16 units, as JavaScript strings count.

import { el } from "./dom.js";

const TAGS = {
  bold: "strong",
  italic: "em",
  underline: "u",
  strikethrough: "s",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
};
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);
const SAFE_LINK = /^(https?|tg|mailto):/i;

function link(url, children) {
  if (!SAFE_LINK.test(url)) return el("span", {}, ...children);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

function spoiler(children) {
  const node = el("span", { className: "spoiler", title: "Press to show" }, ...children);
  node.addEventListener("click", () => node.classList.add("shown"));
  return node;
}

function expandable(children) {
  const node = el("blockquote", { className: "expandable", title: "Press to open" }, ...children);
  node.addEventListener("click", () => node.classList.toggle("open"));
  return node;
}

function wrap(entity, children, text) {
  switch (entity.type) {
    case "text_link":
      return link(entity.url || "", children);
    case "url":
      return link(text, children);
    case "spoiler":
      return spoiler(children);
    case "expandable_blockquote":
      return expandable(children);
    case "bot_command":
      return el("span", { className: "command" }, ...children);
    case "date_time": {
      const when = new Date(entity.unix_time * 1000);
      return el("time", { dateTime: when.toISOString(), title: when.toUTCString() }, ...children);
    }
    default:
      return TAGS[entity.type] ? el(TAGS[entity.type], {}, ...children) : el("span", {}, ...children);
  }
}

function span(text, from, to, entities) {
  const nodes = [];
  let at = from;
  let rest = entities;
  while (rest.length) {
    const [entity, ...others] = rest;
    const begin = Math.max(entity.offset, at);
    const end = Math.min(entity.offset + entity.length, to);
    if (end <= begin) {
      rest = others;
      continue;
    }
    if (begin > at) nodes.push(text.slice(at, begin));
    const inner = others.filter((other) => other.offset < end);
    nodes.push(wrap(entity, span(text, begin, end, inner), text.slice(begin, end)));
    at = BLOCKS.has(entity.type) && text[end] === "\n" ? end + 1 : end; // the block breaks the line itself
    rest = others.filter((other) => other.offset + other.length > end);
  }
  if (at < to) nodes.push(text.slice(at, to));
  return nodes;
}

/** Render a message's text as an array of nodes and strings. */
export function render(text, entities) {
  const sorted = [...(entities || [])].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return span(text, 0, text.length, sorted);
}
