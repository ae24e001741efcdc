// Draws the groups of a view as boxes: places them, and puts those in sight into the picture.
//
// Boxes of some width are elements of their own, taken from a pool; the narrow ones of a color are
// one path, since a browser grows slow with elements. What is under the pointer is computed.

const SVG = "http://www.w3.org/2000/svg";
const HTML = "http://www.w3.org/1999/xhtml";
const LABEL_MARGIN = 3;
// In pixels: narrower boxes are not drawn, share a path, have no gap around them.
const LEAST_WIDTH = 0.5;
const NARROW_WIDTH = 3;
const THIN_WIDTH = 4;
const ROOT_COLOR = "#e8e2d7";
// Pixels between the panels that stand side by side.
const ASIDE_GAP = 8;

function make(namespace, name, attributes, parent) {
  const element = document.createElementNS(namespace, name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (parent) parent.appendChild(element);
  return element;
}

function grouped(value) {
  const digits = String(Math.round(Math.abs(value))).replace(/\B(?=(\d{3})+$)/g, ",");
  return (value < -0.5 ? "\u2212" : "") + digits;
}

// A value as people read it: bytes in the largest unit that is not larger.
function amount(value, unit) {
  const power = [3, 2, 1].find((power) => unit === "bytes" && Math.abs(value) >= 1024 ** power);
  if (power === undefined) return grouped(value);
  return (value < 0 ? "\u2212" : "") + (Math.abs(value) / 1024 ** power).toFixed(3) + " " +
    ["", "KiB", "MiB", "GiB"][power];
}

function amountWithUnit(value, unit) {
  const text = amount(value, unit);
  if (text.endsWith("iB")) return text;
  return text + " " + (Math.round(value) === 1 ? unit.replace(/s$/, "") : unit);
}

// Rounds as the static picture does: to hundredths, halves up.
function percent(part, whole) {
  return whole > 0 ? (Math.round((part * 10000) / whole) / 100).toFixed(2) + "%" : "0.00%";
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

// How far two values may differ by chance.
function noiseOf(difference, [after, before]) {
  const variance = after * difference.varianceAfter + before * difference.varianceBefore;
  return difference.deviations * Math.sqrt(variance);
}

function isNoise(difference, values) {
  return Math.abs(values[0] - values[1]) <= noiseOf(difference, values);
}

// The color of a difference, as Difference.swift computes it.
function differenceColor(difference, values, isGone) {
  const [after, before] = isGone ? [0, values[1]] : values;
  const [from, to] = [0, 3].map((part) => (after > before ? difference.more : difference.less)
    .slice(part, part + 3));
  if (!isGone && isNoise(difference, values)) return difference.grey;
  const share = isGone ? 1 : Math.abs(after - before) / Math.max(after, before, 1);
  return "rgb(" + from.map((one, i) => Math.round(one + (to[i] - one) * share)).join(" ") + ")";
}

// One tree of boxes. `direction` is 1 where callees lie below, −1 above; a panel that `joins` shares
// its root's row with the panel before it; one that is aside stands to its right, in the same scale.
class Panel {
  constructor(view, root, direction, { joins = false, isAside = false } = {}) {
    Object.assign(this, { view, root, direction, joins, isAside, zoomed: root });
  }

  // The boxes that are wide enough, callers first, from left to right.
  place(width) {
    const boxes = [];
    const zoomed = this.zoomed;
    for (let step = zoomed.caller; step; step = step.caller) {
      boxes.push({ panel: this, group: step, x: 0, width, isCaller: true });
    }
    boxes.reverse();
    const scale = zoomed.values[0] > 0 ? width / zoomed.values[0] : 0;
    const open = [{ panel: this, group: zoomed, x: 0, width, isCaller: false }];
    while (open.length > 0) {
      const box = open.pop();
      boxes.push(box);
      let x = box.x;
      const inside = [];
      for (const group of this.view.callees(box.group)) {
        const boxWidth = group.values[0] * scale;
        if (boxWidth >= LEAST_WIDTH) {
          inside.push({ panel: this, group, x, width: boxWidth, isCaller: false });
        }
        x += boxWidth;
      }
      for (let i = inside.length - 1; i >= 0; i--) open.push(inside[i]);
    }
    return boxes;
  }
}

class Picture {
  // Takes the place of the static boxes of a document.
  constructor(root, tree) {
    this.root = root;
    this.tree = tree;
    const statics = [...root.querySelectorAll(".frames")];
    this.header = root.querySelector(".header");
    this.footer = root.querySelector(".footer");
    this.top = Number(statics[0].getAttribute("y"));
    this.margin = Number(statics[0].getAttribute("x"));
    this.rowHeight = Number(root.dataset.rowHeight);
    this.staticHeight = Number(statics[0].getAttribute("height"));
    this.footerHeight = Number(root.getAttribute("height")) - this.top - this.staticHeight;
    // What it says of the static boxes is not true of ours.
    const leftOut = root.querySelector(".left-out");
    if (leftOut) {
      leftOut.remove();
      this.footerHeight -= 20;
    }
    this.frames = make(SVG, "svg", { class: "frames", x: this.margin, y: this.top });
    statics[0].after(this.frames);
    // Thousands of hidden elements would still cost at every change of style.
    for (const element of statics) element.remove();
    this.narrow = make(SVG, "g", { "aria-hidden": "true" }, this.frames);
    this.wide = make(SVG, "g", {}, this.frames);
    this.mark = make(SVG, "rect", { class: "current", visibility: "hidden" }, this.frames);
    this.pool = [];
    this.paths = [];
    this.panels = [];
    this.rows = [];
    this.current = null;
    this.column = this.measureColumn();
  }

  // Measures a column once: asking per label would lay the page out per label.
  measureColumn() {
    const probe = make(SVG, "text", { y: -100 }, this.frames);
    probe.textContent = "0".repeat(100);
    const width = probe.getComputedTextLength() / 100;
    probe.remove();
    return width > 0 ? width : 7.32;
  }

  // Whether the document is a page of its own.
  get isPage() {
    return this.root === document.documentElement;
  }

  show(panels) {
    this.panels = panels;
    this.layOut();
  }

  // Places all boxes anew and draws those in sight.
  layOut() {
    // Asked before anything changes: later the browser would have to lay the page out for it.
    const { top } = this.root.getBoundingClientRect();
    const available = this.root.clientWidth || this.root.getBoundingClientRect().width;
    this.width = Math.max(available - 2 * this.margin, 100);
    const boxes = [];
    let above = 0;
    let below = 0;
    for (const { panel, x, width } of this.shares()) {
      for (const box of panel.place(width)) {
        box.x += x;
        const depth = box.group.depth - (panel.joins ? 1 : 0);
        if (depth < 0) continue;
        box.row = panel.direction > 0 ? depth : -1 - depth;
        if (panel.direction > 0) below = Math.max(below, depth + 1);
        else above = Math.max(above, depth + 1);
        boxes.push(box);
      }
    }
    if (above + below < 3) above = below = 3 - Math.min(above, below);
    this.rows = Array.from({ length: above + below }, () => []);
    this.rootRow = this.panels[0].direction > 0 ? above : above - 1;
    for (const box of boxes) {
      box.row += above;
      this.rows[box.row].push(box);
    }
    const height = this.rows.length * this.rowHeight;
    this.root.removeAttribute("viewBox");
    this.root.setAttribute("height", this.top + height + this.footerHeight);
    this.frames.setAttribute("width", this.width);
    this.frames.setAttribute("height", height);
    if (this.footer) {
      this.footer.setAttribute("transform", "translate(0 " + (height - this.staticHeight) + ")");
    }
    this.draw(top);
  }

  // The part of the width that each panel has: all, if there is none aside or one is zoomed into.
  shares() {
    const all = (panels) => panels.map((panel) => ({ panel, x: 0, width: this.width }));
    const aside = this.panels.find((panel) => panel.isAside);
    const others = this.panels.filter((panel) => !panel.isAside);
    if (!aside || others.some((panel) => panel.zoomed.caller)) return all(others);
    if (aside.zoomed.caller) return all([aside]);
    const [now, gone] = [others[0], aside].map((panel) => panel.root.values[0]);
    const room = Math.max(this.width - ASIDE_GAP, 1);
    const width = (room * now) / (now + gone);
    return [
      ...others.map((panel) => ({ panel, x: 0, width })),
      { panel: aside, x: width + ASIDE_GAP, width: room - width },
    ];
  }

  // The rows that are in sight, and some around them, where the document begins at `rootTop`.
  rowsInSight(rootTop = this.root.getBoundingClientRect().top) {
    const top = rootTop + this.top;
    const first = Math.floor((-top - 400) / this.rowHeight);
    const last = Math.ceil((innerHeight - top + 400) / this.rowHeight);
    return [Math.max(first, 0), Math.min(last, this.rows.length - 1)];
  }

  draw(rootTop) {
    const [first, last] = this.rowsInSight(rootTop);
    const lines = new Map();
    let used = 0;
    for (let row = first; row <= last; row++) {
      for (const box of this.rows[row]) {
        if (box.width < NARROW_WIDTH) this.addLine(lines, box);
        else this.drawBox(used++, box);
      }
    }
    for (let i = used; i < this.pool.length && this.pool[i].box; i++) {
      this.pool[i].box = null;
      this.pool[i].element.setAttribute("display", "none");
    }
    this.drawLines(lines);
    this.drawnRows = [first, last];
    this.drawMark();
  }

  // Draws again if the rows in sight are others.
  drawInSight() {
    const [first, last] = this.rowsInSight();
    const [drawnFirst, drawnLast] = this.drawnRows;
    const slack = 200 / this.rowHeight;
    const isFine =
      (drawnFirst <= first + slack || first === 0) &&
      (drawnLast >= last - slack || last === this.rows.length - 1) &&
      (first !== 0 || drawnFirst === 0) &&
      (last !== this.rows.length - 1 || drawnLast === last);
    if (!isFine) this.draw();
  }

  colorOf(box) {
    const { group, panel } = box;
    const { difference } = this.tree.header;
    if (difference) return differenceColor(difference, group.values, panel.isAside);
    return group.f < 0 ? ROOT_COLOR : this.tree.colors[group.f];
  }

  addLine(lines, box) {
    const isFound = box.panel.view.found && box.panel.view.isFound(box.group);
    const color = isFound ? "found" : this.colorOf(box);
    const y = box.row * this.rowHeight;
    const width = Math.max(box.width, LEAST_WIDTH);
    // Hundredths of a pixel are enough.
    const [x, w] = [Math.round(box.x * 100) / 100, Math.round(width * 100) / 100];
    const line = "M" + x + " " + y + "h" + w + "v" + (this.rowHeight - 1) + "h-" + w + "z";
    const parts = lines.get(color);
    if (parts) parts.push(line);
    else lines.set(color, [line]);
  }

  drawLines(lines) {
    let used = 0;
    for (const [color, parts] of lines) {
      if (used === this.paths.length) this.paths.push(make(SVG, "path", {}, this.narrow));
      const path = this.paths[used++];
      path.setAttribute("class", color === "found" ? "match" : "");
      path.setAttribute("fill", color === "found" ? "" : color);
      path.setAttribute("d", parts.join(""));
    }
    while (this.paths.length > used) this.paths.pop().remove();
  }

  drawBox(index, box) {
    if (index === this.pool.length) {
      const element = make(SVG, "g", { role: "treeitem" }, this.wide);
      const rect = make(SVG, "rect", { rx: 1, height: this.rowHeight - 1 }, element);
      const text = make(SVG, "text", {}, element);
      this.pool.push({ element, rect, text, box: null, shown: {} });
    }
    const item = this.pool[index];
    const { element, rect, text, shown } = item;
    // Only what changes is written: that is what a browser takes its time for.
    const set = (target, name, value) => {
      const key = target === text ? name + " of text" : name;
      if (shown[key] === value) return;
      shown[key] = value;
      target.setAttribute(name, value);
    };
    const y = box.row * this.rowHeight;
    const view = box.panel.view;
    const isFound = view.found && view.isFound(box.group);
    if (!item.box) element.removeAttribute("display");
    item.box = box;
    box.item = item;
    const kind =
      (box.isCaller ? "caller " : "") + (isFound ? "match " : "") +
      (box.width < THIN_WIDTH ? "thin" : "");
    set(element, "class", kind);
    set(element, "aria-level", box.group.depth + 1);
    set(element, "aria-label", this.spoken(box));
    set(rect, "x", box.x);
    set(rect, "y", y);
    set(rect, "width", box.width);
    set(rect, "fill", this.colorOf(box));
    const columns = Math.floor((box.width - 2 * LABEL_MARGIN) / this.column);
    const label = columns < 4 ? "" : fitted(this.labelOf(box), columns);
    if (shown.label !== label) text.textContent = shown.label = label;
    if (label) {
      set(text, "x", box.x + LABEL_MARGIN);
      set(text, "y", y + this.rowHeight - 4);
    }
  }

  nameOf(group) {
    return group.f < 0 ? group.label : this.tree.names[group.f];
  }

  // The name, marked where it was not there before.
  labelOf(box) {
    const { difference } = this.tree.header;
    const { values, f } = box.group;
    const isNew = difference && f >= 0 && values[1] <= 0 && !isNoise(difference, values);
    return (isNew ? "+ " : "") + this.nameOf(box.group);
  }

  spoken(box) {
    const whole = this.tree.totals[0][0];
    return (
      this.nameOf(box.group) + ", " +
      amountWithUnit(box.group.values[0], this.tree.header.unit) + ", " +
      percent(box.group.values[0], whole)
    );
  }

  // MARK: Finding boxes

  // The box at a point of the window, or null.
  boxAt(x, y) {
    const place = this.root.getBoundingClientRect();
    const row = Math.floor((y - place.top - this.top) / this.rowHeight);
    const offset = x - place.left - this.margin;
    return this.boxIn(row, offset);
  }

  boxIn(row, offset) {
    const boxes = this.rows[row] || [];
    let low = 0;
    let high = boxes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (boxes[middle].x <= offset) low = middle + 1;
      else high = middle;
    }
    const box = boxes[low - 1];
    return box && offset < box.x + Math.max(box.width, 1) ? box : null;
  }

  // The box of a group, or null where it is too narrow.
  boxOf(group) {
    for (const row of this.rows) {
      const box = row.find((box) => box.group === group);
      if (box) return box;
    }
    return null;
  }

  // The box next to one in a direction: "out" to its caller, "in" to its widest callee, or to the
  // "left" or "right" in its row.
  neighbor(box, way) {
    const row = this.rows[box.row];
    const place = row.indexOf(box);
    if (way === "left") return row[Math.max(place - 1, 0)];
    if (way === "right") return row[Math.min(place + 1, row.length - 1)];
    const wanted = way === "out" ? (other) => other.group === box.group.caller
      : (other) => other.group.caller === box.group;
    let best = null;
    for (const other of this.rows[box.row + (way === "out" ? -1 : 1) * box.panel.direction] || []) {
      if (wanted(other) && (!best || other.width > best.width)) best = other;
    }
    // The row that two panels share belongs to the first.
    if (!best && way === "out" && box.panel.joins) return this.rows[this.rootRow][0];
    return best || box;
  }

  // Boxes that a search has found, from the root's row on, each row from left to right.
  foundBoxes() {
    const found = [];
    for (const row of this.rows) {
      for (const box of row) {
        if (box.panel.view.found && box.panel.view.isFound(box.group)) found.push(box);
      }
    }
    return found;
  }

  // MARK: The current box

  point(box) {
    if (this.current && this.current.item) this.current.item.element.removeAttribute("id");
    this.current = box;
    this.drawMark();
  }

  drawMark() {
    const box = this.current;
    if (!box) {
      this.mark.setAttribute("visibility", "hidden");
      return;
    }
    this.mark.setAttribute("visibility", "visible");
    this.mark.setAttribute("x", box.x + 0.5);
    this.mark.setAttribute("y", box.row * this.rowHeight + 0.5);
    this.mark.setAttribute("width", Math.max(box.width - 1, 1));
    this.mark.setAttribute("height", this.rowHeight - 2);
    if (box.item && box.item.box === box) {
      box.item.element.id = "wick-current";
      this.frames.setAttribute("aria-activedescendant", "wick-current");
    }
  }

  // Scrolls to where the panels begin.
  scrollToRoot() {
    if (!this.isPage) return;
    const { height } = this.root.getBoundingClientRect();
    const isUp = this.panels[0].direction < 0;
    // Around a function both ways count.
    const root = this.top + (this.rootRow + 1) * this.rowHeight;
    scrollTo(0, this.panels.some((panel) => panel.joins) ? root - innerHeight / 2 : isUp ? height : 0);
    this.drawInSight();
  }

  // Scrolls a box into sight.
  reveal(box) {
    if (!this.isPage) return;
    const top = this.root.getBoundingClientRect().top + this.top + box.row * this.rowHeight;
    if (top < this.top) scrollBy(0, top - this.top);
    else if (top + this.rowHeight > innerHeight) scrollBy(0, top + this.rowHeight - innerHeight);
  }
}
