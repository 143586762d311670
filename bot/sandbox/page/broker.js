// One client account at a time, as the broker sees it: the truth the bot must agree with.

import { $, api, attempt, clockTime, el, money, percent, poll, redraw, signed } from "./dom.js";
import { draw, figures, remember } from "./equity.js";
import { digitsOf, symbols } from "./market.js";

const FAULTS = {
  read_fails: "Reading fails", empty_read: "Reading answers empty", wrong_login: "Another account answers",
  disconnected: "Terminal offline", slow: "Slow answers, 3 s", requote: "Requote", reject: "Trade rejected",
  slippage: "Fills 80 points worse", partial_fill: "Fills in part", invalid_fill: "Wrong filling mode",
  market_closed: "Market closed", autotrading_off: "Autotrading off",
  timeout_not_executed: "No answer, not executed", timeout_after_execution: "No answer, but executed",
  deal_delayed: "Deal shows 8 s late", link_drops: "Link drops after the trade",
  done_early: "Done, yet shown for 3 s", hang: "Never answers", call_fails: "Positions cannot be read",
  drop_connection: "Connection drops", retcode: "Outcome unknown, 10012, but executed",
  comment_overwritten: "Comment overwritten", rollover_renumber: "New tickets, as at rollover",
  clock_jump: "Broker's clock jumps an hour", investor: "Investor's password", trade_disabled: "Account may not trade",
  expert_disabled: "Server forbids EAs", tradeapi_disabled: "Python API disabled", trade_mode: "XAUUSD disabled",
};
const TO = { reckoner: "Reckoner", executor: "Client's EA" };
const FAULT_FIGURES = { slow: { ms: 3000, when: "after", verb: "send" }, slippage: { points: 80 }, deal_delayed: { ms: 8000 },
  done_early: { ms: 3000 }, hang: { when: "before", verb: "positions_get" }, call_fails: { verb: "positions_get", code: -1 },
  drop_connection: { when: "after", verb: "send" }, retcode: { code: 10012, when: "after" },
  comment_overwritten: { text: "broker" }, clock_jump: { of: "server", s: 3600 }, trade_mode: { symbol: "XAUUSD", mode: 0 } };
const BY = { mobile: "Phone", web: "Web", desktop: "Desktop", ea: "Another EA" };
const SENDS_SHOWN = 6;
const CLOSES_SHOWN = 5;
const REASONS = { 0: "on the desktop", 1: "on the phone", 2: "on the web", 3: "by an EA", 4: "by the stop loss",
  5: "by the take profit", 6: "by stop-out" };
const RETCODES = { 10004: "requote", 10006: "rejected", 10008: "placed", 10009: "done", 10010: "done in part",
  10012: "timed out", 10018: "market closed", 10027: "autotrading off", 10030: "wrong filling", 10031: "no connection" };

const state = { login: null, accounts: [], names: {}, owned: new Map(), wanted: null };
const view = {};

function post(verb, body, done) {
  return attempt(() => api(`/broker/${state.login}/${verb}`, body), done).then(refresh);
}

function option(value, text = value) {
  return el("option", { value, textContent: text });
}

function field(label, control) {
  return el("label", {}, el("span", { textContent: label }), control);
}

function wide(node) {
  node.classList.add("wide");
  return node;
}

/** The human label first, then the name the interface and the documents use. */
const named = (words) => Object.fromEntries(Object.entries(words).map(([name, text]) => [name, `${text} (${name})`]));

function form(className, act, ...children) {
  const node = el("form", { className }, ...children);
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    act(Object.fromEntries(new FormData(node)));
  });
  return node;
}

const input = (name, value, label) =>
  el("input", { name, value, inputMode: "decimal", "aria-label": label || name, required: name === "volume" || name === "amount" });
const select = (name, words) =>
  el("select", { name, "aria-label": name }, ...Object.entries(words).map(([value, text]) => option(value, text)));

function levels(values) {
  const found = {};
  for (const name of ["sl", "tp"]) if (values[name]) found[name] = Number(values[name]);
  return found;
}

function openForm() {
  view.symbols = select("symbol", {});
  return form("grid", (values) =>
    post("open", { symbol: values.symbol, side: values.side, volume: Number(values.volume), by: values.by, ...levels(values) },
      `${values.side} ${values.volume} ${values.symbol}`),
    field("Symbol", view.symbols), field("Side", select("side", { buy: "buy", sell: "sell" })), field("Lots", input("volume", "0.10")),
    field("Stop loss", input("sl", "")), field("Take profit", input("tp", "")), field("On", select("by", BY)),
    el("button", { className: "primary", textContent: "Open" }));
}

function cashForm() {
  return form("grid", (values) => post("cash", { amount: Number(values.amount), kind: values.kind }, "Booked"),
    field("Amount", input("amount", "1000")), field("Kind", select("kind", { balance: "balance", credit: "credit", commission: "commission" })),
    el("button", { textContent: "Book" }));
}

function faultForm() {
  const clear = el("button", { type: "button", textContent: "Clear all" });
  clear.addEventListener("click", () =>
    attempt(() => api(`/broker/${state.login}/fault`, undefined, "DELETE"), "Faults cleared").then(refresh));
  view.faults = el("p", { className: "note", textContent: "No fault set." });
  return el("div", {}, view.faults, form("grid", (values) =>
    post("fault", { kind: values.kind, to: values.to, ...(values.times ? { times: Number(values.times) } : {}),
      ...FAULT_FIGURES[values.kind] }, `Fault set: ${FAULTS[values.kind]}`),
    wide(field("What", select("kind", named(FAULTS)))), field("To", select("to", TO)),
    field("Times", input("times", "1")), el("button", { className: "danger", textContent: "Set fault" }), clear));
}

function fold(title, ...children) {
  return el("details", { className: "fold" }, el("summary", { textContent: title }), ...children);
}

function build() {
  view.figures = el("dl", { className: "figures" });
  view.equity = el("div", { className: "equity-box" });
  view.positions = el("div", { className: "positions" });
  view.closes = el("ol", { className: "sends closes" });
  view.sends = el("ol", { className: "sends" });
  $("account").replaceChildren(view.figures, view.equity,
    el("h3", { textContent: "Positions" }), view.positions,
    el("h3", { textContent: "Closed" }), view.closes,
    fold("Open a position by hand", openForm()), fold("Deposit, withdraw, charge", cashForm()),
    fold("Make the broker misbehave", faultForm()), fold("Trade requests received", view.sends));
}

function position(one, digits) {
  const side = one.side || (one.type === 0 ? "buy" : "sell");
  const close = el("button", { type: "button", textContent: "Close", title: "Close it as the client would, on the phone" });
  close.addEventListener("click", () => post("close", { ticket: one.ticket, by: "mobile" }, `Closed ${one.ticket}`));
  const change = form("inline", (values) =>
    post("modify", { ticket: one.ticket, sl: values.sl ? Number(values.sl) : null, tp: values.tp ? Number(values.tp) : null },
      `Changed ${one.ticket}`),
    field("Stop loss", input("sl", one.sl || "")), field("Take profit", input("tp", one.tp || "")), el("button", { textContent: "Set" }));
  const level = (value) => (value ? Number(value).toFixed(digits) : "none");
  return el("div", { className: "position" },
    el("p", {}, el("b", { textContent: `${side} ${one.volume} ${one.symbol}` }), el("span", { "data-profit": String(one.ticket) })),
    el("p", { className: "note", textContent:
      `#${one.ticket} at ${Number(one.price_open).toFixed(digits)}, stop ${level(one.sl)}, target ${level(one.tp)}` }),
    el("div", { className: "position-acts" }, close,
      el("details", { className: "change" }, el("summary", { textContent: "Stop and target" }), change)));
}

/** Cards are rebuilt only when a position changes; profits alone are written in place, so that a press is never lost. */
function drawPositions(account) {
  const shape = account.positions.map((one) => [one.ticket, one.volume, one.sl, one.tp]);
  redraw(view.positions, JSON.stringify([account.login, shape, account.orders.map((one) => one.ticket)]), () => {
    const nodes = account.positions.map((one) => position(one, digitsOf(one.symbol)));
    const orders = account.orders.map((one) => el("p", { className: "note", textContent:
      `Pending order #${one.ticket}: ${one.volume_current ?? one.volume_initial} ${one.symbol} at ${one.price_open}` }));
    return nodes.length + orders.length ? [...nodes, ...orders] : [el("p", { className: "empty", textContent: "Flat." })];
  });
  for (const one of account.positions) {
    const node = view.positions.querySelector(`[data-profit="${one.ticket}"]`);
    node.textContent = signed(one.profit);
    node.className = Number(one.profit) < 0 ? "loss" : "gain";
  }
}

function drawFigures(account) {
  const seen = figures(account.login);
  const pairs = [["Equity", money(account.equity, account.currency)], ["Balance", money(account.balance, account.currency)],
    ["Floating", signed(account.equity - account.balance)], ["Below high", seen ? percent(seen.below) : "n/a"]];
  redraw(view.figures, JSON.stringify(pairs), () =>
    pairs.map(([name, value]) => el("div", {}, el("dt", { textContent: name }), el("dd", { textContent: value }))));
  view.equity.replaceChildren(draw(account.login),
    el("p", { className: "note", textContent: seen ? 
      `High ${money(seen.high)}, low ${money(seen.low)}, as this tab has seen it since ${clockTime(seen.since)} by your clock` : "" }));
}

/** Closing deals, newest first: what, by whom, with what result. */
function drawCloses(account) {
  const asked = new Map(account.order_sends.map((one) => [one.deal, one.source]));
  const closes = account.deals.filter((one) => one.entry === 1 || one.entry === 3);
  redraw(view.closes, JSON.stringify([account.login, closes.length, account.order_sends.length]), () => {
    if (!closes.length) return [el("li", { className: "empty", textContent: "None yet." })];
    const rest = closes.length - CLOSES_SHOWN;
    const nodes = closes.slice(-CLOSES_SHOWN).reverse().map((one) => el("li", {},
      el("span", {}, el("b", { textContent: `${one.type === 1 ? "buy" : "sell"} ${Number(one.volume).toFixed(2)} ${one.symbol}` }),
        el("span", { className: "note", textContent: ` ${clockTime(one.time)}, ${closedBy(one, asked)}` })),
      el("span", { className: one.profit < 0 ? "loss" : "gain", textContent: signed(one.profit) })));
    return rest > 0 ? [...nodes, el("li", { className: "note", textContent: `and ${rest} before` })] : nodes;
  });
}

function closedBy(deal, asked) {
  if (asked.get(deal.ticket) === "reckoner") return "by Reckoner";
  return REASONS[deal.reason] || "reason unknown";
}

function drawSends(account) {
  const newest = account.order_sends.slice(-SENDS_SHOWN).reverse();
  redraw(view.sends, JSON.stringify(newest), () =>
    newest.length ? newest.map((one) => el("li", {}, el("b", { textContent: one.source }), ` ${what(one.request)} `,
      el("span", { className: "note", textContent: `${one.retcode ?? "no answer"} ${RETCODES[one.retcode] || ""}` })))
      : [el("li", { className: "empty", textContent: "None yet." })]);
}

function what(request) {
  if (request.action === 1 && request.position) return `close #${request.position} ${request.volume} ${request.symbol}`;
  if (request.action === 1) return `${request.type === 0 ? "buy" : "sell"} ${request.volume} ${request.symbol}`;
  if (request.action === 6) return `change #${request.position}`;
  if (request.action === 8) return `cancel #${request.order}`;
  return `action ${request.action} ${request.symbol || ""}`;
}

function drawTabs() {
  const signature = JSON.stringify([state.accounts.map((one) => [one.login, one.connected]), state.login, state.names]);
  redraw($("account-tabs"), signature, () =>
    state.accounts.map((one) => {
      const name = state.names[one.login] || one.name || "Account";
      const tab = el("button", { type: "button", role: "tab", "aria-selected": String(one.login === state.login) },
        el("b", { textContent: name }), el("span", { textContent: `${one.login} ${one.currency} ${one.connected ? "" : "offline"}` }));
      tab.addEventListener("click", () => {
        state.login = one.login;
        drawTabs();
        refresh();
      });
      return tab;
    }));
}

/** The account of a client whose chat was chosen. */
function followClient(userId) {
  state.wanted = userId;
  const login = state.owned.get(userId);
  if (login === undefined || state.login === null) return;
  state.wanted = null;
  if (login === state.login) return;
  state.login = login;
  drawTabs();
  refresh();
}

/** Every symbol can be traded by hand; what is chosen stays chosen. */
function drawSymbols() {
  const chosen = view.symbols.value;
  redraw(view.symbols, JSON.stringify(symbols()), () => symbols().map((one) => option(one)));
  if (chosen) view.symbols.value = chosen;
}

async function learnNames() {
  const [chats, world] = await Promise.all([api("/sim/chats"), api("/sim/state")]);
  const names = new Map(chats.chats.map((chat) => [chat.chat_id, chat.title]));
  for (const client of world.clients) {
    state.names[client.login] = names.get(client.user_id);
    state.owned.set(client.user_id, client.login);
  }
}

async function refresh() {
  const found = await api("/broker").catch(() => null);
  if (!found || !found.accounts.length) return;
  if (!Object.keys(state.names).length) await learnNames().catch(() => null);
  state.accounts = found.accounts;
  remember(found.accounts);
  if (state.login === null) {
    state.login = found.accounts[0].login;
    build();
  }
  if (state.wanted !== null) followClient(state.wanted);
  drawTabs();
  drawSymbols();
  const account = await api(`/broker/${state.login}`).catch(() => null);
  if (!account || account.login !== state.login) return;
  drawFigures(account);
  drawPositions(account);
  drawCloses(account);
  drawSends(account);
  const faults = (account.faults || []).map((one) => 
    `${FAULTS[one.kind] || ""} (${one.kind}) for ${TO[one.to] || one.to}${one.times ? `, ${one.times} left` : ""}`);
  view.faults.textContent = faults.length ? `Set: ${faults.join("; ")}` : "No fault set.";
}

export function startBroker() {
  document.addEventListener("client-chosen", (event) => followClient(event.detail));
  poll(refresh);
}
