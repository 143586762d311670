// The market: bid and ask per symbol, how the price moves, and buttons that make trouble.

import { $, api, attempt, el, poll } from "./dom.js";

const MAIN_SYMBOLS = ["XAUUSD", "EURUSD", "GBPUSD", "GBPJPY"];
const MODES = [["walk", "Walk"], ["manual", "Manual"], ["frozen", "Frozen"]];
const GAP_RATIO = 0.06;
const SPREAD_FACTOR = 20;

const rows = new Map();

/** Digits of a symbol's prices, 2 while unknown. */
export function digitsOf(symbol) {
  return rows.get(symbol)?.quote?.digits ?? 2;
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
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send({ symbol, mode: "manual", bid: Number(row.bidInput.value), ask: Number(row.askInput.value) }, `${symbol} set`);
  });
  row.node = el(
    "details",
    { className: "symbol", "data-symbol": symbol },
    el("summary", {}, el("b", { textContent: symbol }), row.bid, row.ask, row.spread),
    el("div", { className: "symbol-body" },
      el("div", { className: "segments", role: "group", "aria-label": "How the price moves" }, ...row.modes),
      form,
      el("div", { className: "trouble" },
        button("Gap \u22126 %", "A gap down", () => send(gap(row.quote, -GAP_RATIO), `${symbol} gapped down`)),
        button("Gap +6 %", "A gap up", () => send(gap(row.quote, GAP_RATIO), `${symbol} gapped up`)),
        button("Spread \u00d720", "A wide spread", () => send(widen(row.quote), `${symbol} spread widened`)),
        button("\u22121 %", "A move down", () => send(gap(row.quote, -0.01))),
        button("+1 %", "A move up", () => send(gap(row.quote, 0.01))),
        button("Spread \u00d71", "The usual spread again", () => send(narrow(row), `${symbol} spread as usual`)))),
  );
  row.node.addEventListener("toggle", () => {
    if (!row.node.open || !row.quote) return;
    row.bidInput.value = row.quote.bid.toFixed(row.quote.digits);
    row.askInput.value = row.quote.ask.toFixed(row.quote.digits);
  });
  return row;
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
