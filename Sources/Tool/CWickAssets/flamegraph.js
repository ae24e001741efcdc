// Explores a flame graph: details, zoom, search. The picture stands without it.
//
// Names come from the picture's own <title> elements and go back as text only. Boxes are in
// depth-first order, so a call path's descendants are the boxes from its own index to `ends[i]`.
(function () {
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const HTML = "http://www.w3.org/1999/xhtml";
const root = document.currentScript.closest("svg.wick");
const frames = root.querySelector(".frames");
const header = root.querySelector(".header");
const detail = root.querySelector(".detail");
const standalone = root === document.documentElement;
const LABEL_MARGIN = 3;
// Below this width in pixels a box has no gap around it.
const THIN_WIDTH = 2.5;

// MARK: The model, read from the picture

const elements = frames ? Array.from(frames.children) : [];
const count = elements.length;
const starts = new Float64Array(count);
const widths = new Float64Array(count);
const parents = new Int32Array(count);
const ends = new Int32Array(count);
const names = new Array(count);
const total = Number(root.dataset.total);

function readBoxes() {
  const path = [];
  elements.forEach((element, i) => {
    element.wickIndex = i;
    starts[i] = Number(element.dataset.x);
    widths[i] = Number(element.dataset.w);
    const depth = Number(element.dataset.d);
    for (const closed of path.splice(depth)) ends[closed] = i;
    parents[i] = depth > 0 ? path[depth - 1] : 0;
    path.push(i);
  });
  for (const open of path) ends[open] = count;
}

// The lines of a box's hover text: its name, its module where known, its value.
function lines(i) {
  return elements[i].firstElementChild.textContent.split("\n");
}

function nameOf(i) {
  if (names[i] === undefined) names[i] = lines(i)[0];
  return names[i];
}

// MARK: Text

function grouped(digits) {
  return String(digits).replace(/\B(?=(\d{3})+$)/g, ",");
}

// Rounds as the static picture does: to hundredths, halves up.
function percent(part, whole) {
  return whole > 0 ? (Math.round((part * 10000) / whole) / 100).toFixed(2) + "%" : "0.00%";
}

function make(namespace, name, attributes, parent) {
  const element = document.createElementNS(namespace, name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (parent) parent.appendChild(element);
  return element;
}

// Measures a column once: asking per label would lay the page out per label.
function measureColumn() {
  const probe = make(SVG, "text", { y: -100 }, frames);
  probe.textContent = "0".repeat(100);
  const width = probe.getComputedTextLength() / 100;
  probe.remove();
  return width > 0 ? width : 7.32;
}

// Cuts text to columns of a monospace font as the static picture does; wide scripts take two.
function fitted(text, columns) {
  if (columns < 4) return "";
  if (text.length * 2 <= columns) return text;
  let used = 0;
  let cut = 0;
  let index = 0;
  for (const character of text) {
    used += character.codePointAt(0) >= 0x1100 ? 2 : 1;
    index += character.length;
    if (used > columns) return text.slice(0, cut) + "\u2026";
    if (used < columns) cut = index;
  }
  return text;
}

// MARK: Layout

let zoomed = 0;
let pixels = 0;
let column = 0;
// What each box shows now, so that only what changes is written: NaN start means hidden.
const shownStarts = new Float64Array(count);
const shownWidths = new Float64Array(count);
const shownLabels = new Array(count);

function isCaller(i) {
  return i < zoomed && ends[i] > zoomed;
}

function isShown(i) {
  return !Number.isNaN(shownStarts[i]);
}

function place(i, start, width) {
  const element = elements[i];
  const rect = element.children[1];
  const moved = shownStarts[i] !== start;
  if (!isShown(i)) element.removeAttribute("display");
  if (moved) rect.setAttribute("x", start * 100 + "%");
  if (shownWidths[i] !== width) rect.setAttribute("width", width * 100 + "%");
  rect.classList.toggle("thin", width * pixels < THIN_WIDTH);
  const label = labelFor(i, Math.floor((width * pixels - 2 * LABEL_MARGIN) / column));
  let text = element.children[2];
  if (label && !text) {
    text = make(SVG, "text", { dx: LABEL_MARGIN, y: Number(rect.getAttribute("y")) + 12 }, element);
  }
  if (text && shownLabels[i] !== label) text.textContent = label;
  if (text && (moved || shownLabels[i] !== label)) text.setAttribute("x", start * 100 + "%");
  shownLabels[i] = label;
  shownStarts[i] = start;
  shownWidths[i] = width;
}

function labelFor(i, columns) {
  // A name is read from the picture only where there is room for it.
  return columns < 4 ? "" : fitted(nameOf(i), columns);
}

function hide(i) {
  if (isShown(i)) elements[i].setAttribute("display", "none");
  shownStarts[i] = NaN;
}

function layOut() {
  const left = starts[zoomed];
  const scale = 1 / widths[zoomed];
  for (let i = 0; i < count; i++) {
    const caller = isCaller(i);
    if (caller) {
      place(i, 0, 1);
    } else if (i >= zoomed && i < ends[zoomed]) {
      place(i, (starts[i] - left) * scale, widths[i] * scale);
    } else {
      hide(i);
    }
    elements[i].classList.toggle("caller", caller);
  }
}

// Takes the picture's fixed size away: the boxes fill the width there is.
function fillWidth() {
  root.removeAttribute("viewBox");
  const available = root.clientWidth || root.getBoundingClientRect().width;
  const margin = Number(frames.getAttribute("x"));
  pixels = Math.max(available - 2 * margin, 100);
  frames.setAttribute("width", pixels);
  tools.box.setAttribute("x", available - tools.width);
  layOut();
  tell();
}

// MARK: Detail line

let current = -1;

function share(part, whole, of) {
  return " · " + percent(part, whole) + " of " + of;
}

function describe(i) {
  const text = lines(i);
  const value = text[text.length - 1];
  let figures = " · " + value.slice(0, value.lastIndexOf(", "));
  figures += " (self " + grouped(elements[i].dataset.s) + ")";
  figures += share(widths[i], total, "all");
  if (zoomed !== 0 && !isCaller(i)) figures += share(widths[i], widths[zoomed], "zoomed");
  if (i !== 0) figures += share(widths[i], widths[parents[i]], "caller");
  if (text.length > 2) figures = " · " + text[1] + figures;
  const room = Math.floor(pixels / column) - figures.length;
  return fitted(text[0], Math.max(room, 12)) + figures;
}

function tell() {
  const subject = current >= 0 ? current : zoomed;
  detail.classList.toggle("hint", current < 0 && zoomed === 0);
  detail.textContent =
    subject > 0 || current === 0
      ? describe(subject)
      : "Point at a box for its figures, click to zoom, press / to search.";
}

function point(i) {
  if (i === current) return;
  if (current >= 0) elements[current].classList.remove("current");
  current = i;
  if (i >= 0) elements[i].classList.add("current");
  tell();
}

// MARK: Search

let matching = null;

// A literal text, or a regular expression between slashes; null for none.
function matcher(query, sensitive) {
  if (query === "") return null;
  const form = /^\/(.+)\/(i?)$/.exec(query);
  if (form) {
    const expression = new RegExp(form[1], sensitive && !form[2] ? "u" : "iu");
    return (name) => expression.test(name);
  }
  if (sensitive) return (name) => name.includes(query);
  const lowered = query.toLowerCase();
  return (name) => name.toLowerCase().includes(lowered);
}

function search() {
  tools.matched.classList.remove("wrong");
  try {
    matching = matcher(tools.query.value, tools.sensitive.getAttribute("aria-pressed") === "true");
  } catch (error) {
    matching = null;
    tools.matched.classList.add("wrong");
  }
  const known = new Map();
  for (let i = 0; i < count; i++) {
    let matches = false;
    // The root is no function.
    if (matching && i !== 0) {
      const name = nameOf(i);
      if (!known.has(name)) known.set(name, matching(name));
      matches = known.get(name);
    }
    elements[i].classList.toggle("match", matches);
  }
  frames.classList.toggle("searched", matching !== null);
  sum();
}

// Sums the matches among what is shown; one above another counts once. A match among the callers of
// the zoomed box spans all that is shown, as it does in the picture.
function sum() {
  if (!matching) {
    const wrong = tools.matched.classList.contains("wrong");
    tools.matched.textContent = wrong ? "Not a valid expression" : "";
    return;
  }
  let matched = 0;
  let boxes = 0;
  let counted = 0;
  for (let i = 0; i < count; i++) {
    if (!isShown(i) || !elements[i].classList.contains("match")) continue;
    boxes += 1;
    if (i < counted) continue;
    counted = ends[i];
    matched += isCaller(i) ? widths[zoomed] : widths[i];
  }
  const noun = boxes === 1 ? " box" : " boxes";
  // What is not drawn cannot be searched.
  const bound = Number(root.dataset.leftOut) > 0 ? "\u2265 " : "";
  tools.matched.textContent =
    bound + percent(matched, widths[zoomed]) + " in " + grouped(boxes) + noun;
}

// MARK: Zoom and history

function zoom(i) {
  zoomed = i;
  tools.reset.hidden = i === 0;
  layOut();
  sum();
  tell();
}

// The view in the address: `#zoom=depth.start&search=text&case=1`.
function remember(push) {
  if (!standalone) return;
  const state = new URLSearchParams();
  const box = elements[zoomed].dataset;
  if (zoomed !== 0) state.set("zoom", box.d + "." + box.x);
  if (tools.query.value) state.set("search", tools.query.value);
  if (tools.sensitive.getAttribute("aria-pressed") === "true") state.set("case", "1");
  const address = location.href.split("#")[0] + (state.toString() ? "#" + state : "");
  try {
    if (push) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  } catch (error) {
    // Some viewers forbid it for files; the picture works without.
  }
}

function recall() {
  const state = new URLSearchParams(standalone ? location.hash.slice(1) : "");
  const [depth, start] = (state.get("zoom") || "").split(".");
  const found = elements.findIndex((e) => e.dataset.d === depth && e.dataset.x === start);
  tools.query.value = state.get("search") || "";
  tools.sensitive.setAttribute("aria-pressed", String(state.get("case") === "1"));
  zoom(Math.max(found, 0));
  search();
}

function zoomTo(i) {
  if (i === zoomed) return;
  zoom(i);
  remember(true);
}

function clearSearch() {
  tools.query.value = "";
  search();
  remember(false);
}

// MARK: Tools

const tools = { width: 600 };

function makeTools() {
  tools.box = make(SVG, "foreignObject", { y: 8, width: tools.width, height: 34 }, header);
  const bar = make(HTML, "div", { class: "tools" }, tools.box);
  tools.matched = make(HTML, "span", { class: "matched", role: "status" }, bar);
  tools.reset = make(HTML, "button", { class: "reset", type: "button" }, bar);
  tools.reset.textContent = "Reset zoom";
  tools.query = make(HTML, "input", {
    class: "query", type: "text", placeholder: "Search  ( / )", spellcheck: "false",
    autocomplete: "off", "aria-label": "Search function names: text, or /expression/",
    title: "Text, or a regular expression between slashes",
  }, bar);
  tools.sensitive = make(HTML, "button", {
    class: "case", type: "button", "aria-pressed": "false", title: "Match case",
    "aria-label": "Match case",
  }, bar);
  tools.sensitive.textContent = "Aa";
  tools.reset.addEventListener("click", () => zoomTo(0));
  tools.query.addEventListener("input", () => {
    search();
    remember(false);
  });
  tools.sensitive.addEventListener("click", () => {
    const on = tools.sensitive.getAttribute("aria-pressed") === "true";
    tools.sensitive.setAttribute("aria-pressed", String(!on));
    search();
    remember(false);
  });
}

// MARK: Pointer and keyboard

function boxAt(event) {
  const element = event.target.closest ? event.target.closest(".frames > g") : null;
  return element ? element.wickIndex : -1;
}

// The nearest shown box in a direction; callers lie below, callees above.
function neighbor(i, key) {
  if (key === "ArrowDown") return parents[i];
  if (key === "ArrowUp") {
    let widest = i;
    for (let child = i + 1; child < ends[i]; child = ends[child]) {
      if (isShown(child) && (widest === i || widths[child] > widths[widest])) widest = child;
    }
    return widest;
  }
  if (i === 0) return i;
  let before = i;
  for (let child = parents[i] + 1; child < ends[parents[i]]; child = ends[child]) {
    if (!isShown(child)) continue;
    if (key === "ArrowLeft" && child === i) return before;
    if (key === "ArrowRight" && child > i) return child;
    before = child;
  }
  return i;
}

function reveal(i) {
  const box = elements[i].getBoundingClientRect();
  const top = Number(frames.getAttribute("y"));
  if (standalone && box.top < top) scrollBy(0, box.top - top);
  else if (standalone && box.bottom > innerHeight) scrollBy(0, box.bottom - innerHeight);
}

function onKey(event) {
  const typing = event.target === tools.query;
  const find = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f";
  if (!typing && (find || (event.key === "/" && !event.ctrlKey && !event.metaKey))) {
    tools.query.focus();
    tools.query.select();
  } else if (event.key === "Escape") {
    if (tools.query.value) clearSearch();
    else zoomTo(0);
    if (typing) frames.focus({ preventScroll: true });
  } else if (event.target === frames && event.key.startsWith("Arrow")) {
    point(current >= 0 && isShown(current) ? neighbor(current, event.key) : zoomed);
    reveal(current);
  } else if (event.target === frames && event.key === "Enter" && current >= 0) {
    zoomTo(current);
  } else {
    return;
  }
  event.preventDefault();
}

function listen() {
  frames.setAttribute("tabindex", "0");
  frames.setAttribute("role", "group");
  frames.setAttribute("aria-label", "Flame graph: arrow keys move, Enter zooms, Escape resets");
  frames.addEventListener("focus", () => {
    if (current < 0 && frames.matches(":focus-visible")) point(zoomed);
  });
  frames.addEventListener("blur", () => point(-1));
  frames.addEventListener("mouseover", (event) => point(boxAt(event)));
  frames.addEventListener("mouseleave", () => point(-1));
  frames.addEventListener("click", (event) => {
    if (boxAt(event) >= 0) zoomTo(boxAt(event));
  });
  (standalone ? document : root).addEventListener("keydown", onKey);
  let pending = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(fillWidth);
  });
  if (!standalone) return;
  addEventListener("popstate", recall);
  // The header stays in sight while a tall graph scrolls.
  addEventListener("scroll", () => {
    header.setAttribute("transform", "translate(0 " + Math.max(scrollY, 0) + ")");
  });
}

if (frames && count > 0) {
  readBoxes();
  column = measureColumn();
  shownStarts.fill(0);
  shownWidths.fill(-1);
  makeTools();
  fillWidth();
  recall();
  listen();
  // The root is at the bottom: begin there.
  if (standalone) scrollTo(0, document.documentElement.scrollHeight);
}
})();
