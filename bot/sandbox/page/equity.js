// The equity line of each account: points gathered while the page is open, drawn by hand as SVG.

const POINTS_MAX = 900;
const WIDTH = 340;
const HEIGHT = 96;
const PAD = 6;
const KEY = "reckoner-equity";
const WORLD_KEY = "reckoner-world";
const SVG = "http://www.w3.org/2000/svg";

const lines = load();

function load() {
  try {
    return new Map(Object.entries(JSON.parse(sessionStorage.getItem(KEY) || "{}")));
  } catch {
    return new Map();
  }
}

/** Start anew in another world: its accounts have the same numbers, and another story. */
export function worldIs(pid) {
  try {
    if (sessionStorage.getItem(WORLD_KEY) === String(pid)) return;
    sessionStorage.setItem(WORLD_KEY, String(pid));
  } catch {
    return; // Without a storage nothing was kept from another world.
  }
  lines.clear();
}

/** Keep one point per account and second; a reload of the page keeps them too. */
export function remember(accounts) {
  const now = Date.now();
  for (const account of accounts) {
    const key = String(account.login);
    const points = lines.get(key) || [];
    points.push([now, Number(account.equity)]);
    lines.set(key, points.slice(-POINTS_MAX));
  }
  try {
    sessionStorage.setItem(KEY, JSON.stringify(Object.fromEntries(lines)));
  } catch {
    // A full or forbidden storage costs the history of a reload, nothing else.
  }
}

function node(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Draw the line with its highest point and the last; returns an SVG element. */
export function draw(login) {
  const points = lines.get(String(login)) || [];
  const svg = node("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "equity", role: "img", preserveAspectRatio: "none" });
  svg.setAttribute("aria-label", `Equity of ${login}, last ${points.length} seconds`);
  if (points.length < 2) return svg;
  const values = points.map((point) => point[1]);
  const high = Math.max(...values);
  const low = Math.min(...values);
  const room = Math.max(high - low, high * 0.002, 0.01);
  const middle = (high + low) / 2;
  const begin = points[0][0];
  const span = Math.max(points[points.length - 1][0] - begin, 1);
  const x = (at) => PAD + ((at - begin) / span) * (WIDTH - 2 * PAD);
  const y = (value) => HEIGHT / 2 - ((value - middle) / room) * (HEIGHT - 2 * PAD);
  const path = points.map((point, i) => `${i ? "L" : "M"}${x(point[0]).toFixed(1)} ${y(point[1]).toFixed(1)}`).join("");
  svg.append(
    node("line", { x1: PAD, x2: WIDTH - PAD, y1: y(high), y2: y(high), class: "peak" }),
    node("path", { d: `${path}L${WIDTH - PAD} ${HEIGHT}L${PAD} ${HEIGHT}Z`, class: "area" }),
    node("path", { d: path, class: "line" }),
  );
  return svg;
}

/** Highest and lowest equity seen by this tab, since when, and how far below the highest we are. */
export function figures(login) {
  const points = lines.get(String(login)) || [];
  const values = points.map((point) => point[1]);
  if (!values.length) return null;
  const high = Math.max(...values);
  const last = values[values.length - 1];
  return { since: points[0][0], high, low: Math.min(...values), below: high > 0 ? ((high - last) / high) * 100 : 0 };
}
