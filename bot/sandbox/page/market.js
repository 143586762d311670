// The market: bid and ask per symbol, how the price moves, and buttons that make trouble.

import { $, api, attempt, el, poll } from "./dom.js";

const MAIN_SYMBOLS = ["XAUUSD", "EURUSD", "GBPUSD", "GBPJPY"];
const MODES = [["walk", "Walk"], ["manual", "Manual"], ["frozen", "Frozen"]];
const MODE_WORDS = { walk: "walking", manual: "manual", frozen: "frozen", replay: "recorded" };
const MODE_HINTS = {
  walk: "Walking by itself. Whatever you set below ends the walk: manual from then on.",
  manual: "Manual: it stands still until you move it. Walk lets it go again.",
  frozen: "Frozen: no new prices at all. Whatever you set below makes it manual.",
};
const GAP_RATIO = 0.06;
const SPREAD_FACTOR = 20;

const rows = new Map();

/** Digits of a symbol's prices, 2 while unknown. */
export function digitsOf(symbol) {
  return rows.get(symbol)?.quote?.digits ?? 2;
}

/** All symbols there are, the main ones first. */
export function symbols() {
  const all = [...rows.keys()];
  return [...MAIN_SYMBOLS.filter((one) => rows.has(one)), ...all.filter((one) => !MAIN_SYMBOLS.includes(one))];
}

/** What was done, and that it took the symbol out of its walk. */
function told(row, text) {
  const { symbol, mode } = row.quote;
  return mode === "manual" ? `${symbol} ${text}` : `${symbol} ${text}, and is manual now. Walk lets it go again.`;
}

function send(body, done) {
  return attempt(() => api("/broker/market", body), done).then(refresh);
}

/** Move bid and ask by a ratio of the price, as a gap does; the spread stays. */
function gap(quote, ratio) {
  const step = quote.bid * ratio;
  return { symbol: quote.symbol, mode: "manual", bid: round(quote.bid + step, quote), ask: round(quote.ask + step, quote) };
}

function widen(quote) {
  const spread = Math.max(quote.ask - quote.bid, 10 ** -quote.digits) * SPREAD_FACTOR;
  return { symbol: quote.symbol, mode: "manual", bid: quote.bid, ask: round(quote.bid + spread, quote) };
}

/** Back to the spread the symbol had when this page was opened. */
function narrow(row) {
  const { quote } = row;
  return { symbol: quote.symbol, mode: "manual", bid: quote.bid, ask: round(quote.bid + row.usual, quote) };
}

function round(price, quote) {
  return Number(price.toFixed(quote.digits));
}

/** Spread in pips: ten points on symbols of 3 or 5 digits (and on gold), else one point. */
function spreadPips(quote) {
  const points = (quote.ask - quote.bid) * 10 ** quote.digits;
  const tenth = quote.digits === 3 || quote.digits === 5 || quote.symbol === "XAUUSD";
  return (tenth ? points / 10 : points).toFixed(1);
}

function makeRow(symbol) {
  const row = { symbol, quote: null };
  const button = (text, title, act) => {
    const node = el("button", { type: "button", textContent: text, title });
    node.addEventListener("click", act);
    return node;
  };
  row.bid = el("span", { className: "price" });
  row.ask = el("span", { className: "price" });
  row.spread = el("span", { className: "spread" });
  row.modes = MODES.map(([mode, text]) => {
    const node = button(text, `${symbol}: ${text.toLowerCase()}`, () => send({ symbol, mode }));
    node.dataset.mode = mode;
    return node;
  });
  row.bidInput = el("input", { inputMode: "decimal", "aria-label": `${symbol} bid`, placeholder: "bid" });
  row.askInput = el("input", { inputMode: "decimal", "aria-label": `${symbol} ask`, placeholder: "ask" });
  const form = el("form", { className: "set-price" }, row.bidInput, row.askInput, el("button", { textContent: "Set price" }));
  row.edited = false;
  form.addEventListener("input", () => { row.edited = true; });
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) row.edited = false;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!row.edited) fillBoxes(row); // what was not typed is the price of now, not of some time ago
    row.edited = false;
    document.activeElement?.blur();
    send({ symbol, mode: "manual", bid: Number(row.bidInput.value), ask: Number(row.askInput.value) },
      told(row, `set to ${row.bidInput.value} / ${row.askInput.value}`));
  });
  row.mode = el("small", { className: "mode" });
  row.hint = el("p", { className: "note hint" });
  const act = (change, text) => () => send(change(row.quote), told(row, text));
  row.node = el(
    "details",
    { className: "symbol", "data-symbol": symbol },
    el("summary", { title: "Open for what can be done with it" },
      el("span", { className: "symbol-name" }, el("b", { textContent: symbol }), row.mode), row.bid, row.ask, row.spread),
    el("div", { className: "symbol-body" },
      el("div", { className: "segments", role: "group", "aria-label": "How the price moves" }, ...row.modes),
      row.hint,
      form,
      el("div", { className: "trouble" },
        button("Gap \u22126 %", "A gap down", act((quote) => gap(quote, -GAP_RATIO), "gapped 6 % down")),
        button("Gap +6 %", "A gap up", act((quote) => gap(quote, GAP_RATIO), "gapped 6 % up")),
        button("Spread \u00d720", "A wide spread", act(widen, "has 20 times its spread")),
        button("\u22121 %", "A move down", act((quote) => gap(quote, -0.01), "moved 1 % down")),
        button("+1 %", "A move up", act((quote) => gap(quote, 0.01), "moved 1 % up")),
        button("Spread \u00d71", "The usual spread again", act(() => narrow(row), "has its usual spread")))),
  );
  return row;
}

function fillBoxes(row) {
  row.bidInput.value = row.quote.bid.toFixed(row.quote.digits);
  row.askInput.value = row.quote.ask.toFixed(row.quote.digits);
}

/** Boxes follow the market until somebody types; then the hint tells how far it has gone. */
function drawBoxes(row) {
  const { quote } = row;
  const inside = [row.bidInput, row.askInput].includes(document.activeElement);
  if (!row.edited && !inside) fillBoxes(row);
  const now = `${quote.bid.toFixed(quote.digits)} / ${quote.ask.toFixed(quote.digits)}`;
  row.hint.textContent = row.edited && quote.mode === "walk"
    ? `The market walks on while you type, now ${now}. Set price ends the walk.`
    : MODE_HINTS[quote.mode] || "";
}

function price(node, value, before, digits) {
  const text = value.toFixed(digits);
  if (node.textContent === text) return;
  node.textContent = text;
  node.classList.remove("up", "down");
  if (before !== undefined && value !== before) node.classList.add(value > before ? "up" : "down");
}

function draw(row, quote) {
  const before = row.quote || {};
  row.quote = quote;
  row.usual ??= quote.ask - quote.bid;
  price(row.bid, quote.bid, before.bid, quote.digits);
  price(row.ask, quote.ask, before.ask, quote.digits);
  row.spread.textContent = `${spreadPips(quote)} pips`;
  row.node.dataset.mode = quote.mode;
  row.mode.textContent = MODE_WORDS[quote.mode] || quote.mode;
  drawBoxes(row);
  for (const node of row.modes) node.setAttribute("aria-pressed", String(node.dataset.mode === quote.mode));
}

function layout(quotes) {
  for (const quote of quotes) rows.set(quote.symbol, makeRow(quote.symbol));
  const main = quotes.filter((quote) => MAIN_SYMBOLS.includes(quote.symbol));
  const others = quotes.filter((quote) => !MAIN_SYMBOLS.includes(quote.symbol));
  const nodes = main.map((quote) => rows.get(quote.symbol).node);
  if (others.length) {
    nodes.push(el("details", { className: "more" }, el("summary", { textContent: `${others.length} more symbols` }),
      ...others.map((quote) => rows.get(quote.symbol).node)));
  }
  const head = el("div", { className: "symbol-head", "aria-hidden": "true" },
    ...["Symbol", "Bid", "Ask", "Spread"].map((text) => el("span", { textContent: text })));
  $("market").replaceChildren(head, ...nodes);
}

async function refresh() {
  const found = await api("/broker/market").catch(() => null);
  if (!found || !Array.isArray(found.quotes)) return;
  if (found.quotes.some((quote) => !rows.has(quote.symbol))) layout(found.quotes);
  for (const quote of found.quotes) draw(rows.get(quote.symbol), quote);
}

export function startMarket() {
  poll(refresh);
}
