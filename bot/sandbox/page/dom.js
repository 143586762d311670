// Small tools: elements without innerHTML, HTTP with readable errors, numbers for people.

export const POLL_MS = 1000;
const TOAST_MS = 4500;

/** Make an element; `props` are properties, `data-*`/`aria-*` and a few others are attributes. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name.includes("-") || name === "role" || name === "for") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export const $ = (id) => document.getElementById(id);

export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

/** Call the world; throws Refused with the world's own words. */
export async function api(path, body, method) {
  const options = { method: method || (body === undefined ? "GET" : "POST") };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  const answer = await fetch(path, options);
  const text = await answer.text();
  let data = null;
  try {
    data = JSON.parse(text);
  } catch {
    data = null;
  }
  if (!answer.ok) throw new Refused(answer.status, (data && data.error) || answer.statusText);
  return data;
}

export function toast(text, kind = "plain") {
  const node = el("p", { className: `toast ${kind}`, textContent: text });
  $("toasts").append(node);
  setTimeout(() => node.remove(), TOAST_MS);
}

/** Do something for the person; what the world refuses is shown, not thrown. */
export async function attempt(work, done) {
  try {
    const result = await work();
    if (done) toast(done);
    return result;
  } catch (error) {
    toast(error instanceof Refused ? error.message : "The world does not answer.", "bad");
    return null;
  }
}

/** Call `work` every second, never twice at a time, not while the page is hidden. */
export function poll(work) {
  let busy = false;
  const turn = async () => {
    if (busy || document.hidden) return;
    busy = true;
    try {
      await work();
    } finally {
      busy = false;
    }
  };
  setInterval(turn, POLL_MS);
  turn();
  return turn;
}

/** Replace children only when what they show has changed, so that inputs keep their focus. */
export function redraw(node, signature, build) {
  if (node.dataset.signature === signature) return;
  node.dataset.signature = signature;
  node.replaceChildren(...build());
}

export function money(value, currency) {
  const number = Number(value);
  if (!Number.isFinite(number)) return "n/a";
  const text = Math.abs(number).toLocaleString("en-GB", {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
  return `${number < 0 ? "\u2212" : ""}${text}${currency ? ` ${currency}` : ""}`;
}

export function signed(value) {
  const number = Number(value);
  return number > 0 ? `+${money(number)}` : money(number);
}

/** One decimal, rounded half up, as the messages have it; the float's own dust is cut off first. */
export function percent(value) {
  return `${(Math.round(Number((value * 10).toPrecision(12))) / 10).toFixed(1)} %`;
}

export function clockTime(iso) {
  return new Date(iso).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

export function initials(name) {
  return name.split(/\s+/).map((word) => word[0]).join("").slice(0, 2).toUpperCase();
}
