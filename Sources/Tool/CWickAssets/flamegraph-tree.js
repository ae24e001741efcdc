// The whole tree of a flame graph, as FlameGraphData.swift packs it, and the views of it.
//
// Nodes are indices in depth-first order: a node's descendants are those from its own index to
// `ends[node]`. A view shows groups of nodes, each group one box; groups learn their callees when
// they are drawn, so that a view of a million nodes costs what is visible of it.

// MARK: Reading

async function inflate(text) {
  const bytes = Uint8Array.fromBase64
    ? Uint8Array.fromBase64(text)
    : Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Takes the parts of the packed tree one after the other.
class Parts {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.place = 0;
  }

  next() {
    const length = this.view.getUint32(this.place, true);
    this.place += 4 + length;
    return this.bytes.subarray(this.place - length, this.place);
  }
}

// Decodes LEB128 numbers into `target` from an index on; what 53 bits cannot hold is rounded.
function readNumbers(bytes, target, first) {
  let place = 0;
  for (let index = first; index < target.length; index++) {
    let byte = bytes[place++];
    let value = byte & 127;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = bytes[place++];
      value += (byte & 127) * scale;
    }
    target[index] = value;
  }
}

class Tree {
  constructor(bytes) {
    const parts = new Parts(bytes);
    this.header = JSON.parse(new TextDecoder().decode(parts.next()));
    this.names = this.header.names;
    // By owner.
    this.rootKinds = [];
    for (const [kind, root] of Object.entries(this.header.roots)) this.rootKinds[root.owner] = kind;
    this.readFunctions(parts.next());
    this.count = this.header.nodes;
    this.readShape(parts.next(), parts.next());
    this.own = this.header.columns.map(() => {
      const column = new Float64Array(this.count);
      readNumbers(parts.next(), column, 0);
      return column;
    });
    this.totals = this.own.map((column) => this.summed(column));
  }

  readFunctions(bytes) {
    const fields = ["modules", "owners", "files", "lines"];
    for (const field of fields) this["function" + field] = new Int32Array(this.names.length);
    this.colors = new Array(this.names.length);
    let place = 0;
    for (let f = 0; f < this.names.length; f++) {
      for (const field of fields) {
        let value = 0;
        let byte;
        let scale = 1;
        do {
          byte = bytes[place++];
          value += (byte & 127) * scale;
          scale *= 128;
        } while (byte > 127);
        this["function" + field][f] = value;
      }
      const color = (bytes[place] << 16) | (bytes[place + 1] << 8) | bytes[place + 2];
      this.colors[f] = "#" + color.toString(16).padStart(6, "0");
      place += 3;
    }
  }

  readShape(ups, functions) {
    this.functions = new Int32Array(this.count).fill(-1);
    readNumbers(functions, this.functions, 1);
    const levels = new Int32Array(this.count);
    readNumbers(ups, levels, 1);
    this.callers = new Int32Array(this.count);
    this.ends = new Int32Array(this.count);
    const path = [0];
    let depth = 0;
    for (let node = 1; node < this.count; node++) {
      depth -= levels[node];
      this.callers[node] = path[depth];
      path[++depth] = node;
    }
    for (let node = this.count - 1; node >= 0; node--) {
      this.ends[node] = Math.max(this.ends[node], node + 1);
      const caller = this.callers[node];
      this.ends[caller] = Math.max(this.ends[caller], this.ends[node]);
    }
  }

  // The value of each node and all below it.
  summed(column) {
    const sums = column.slice();
    const callers = this.callers;
    for (let node = this.count - 1; node > 0; node--) sums[callers[node]] += sums[node];
    return sums;
  }

  moduleOf(f) {
    const module = f < 0 ? 0 : this.functionmodules[f];
    return module === 0 ? "" : this.header.modules[module - 1];
  }

  // Where a function's hottest line is, such as `server.swift:42`.
  sourceOf(f) {
    const file = f < 0 ? 0 : this.functionfiles[f];
    if (file === 0) return "";
    const line = this.functionlines[f];
    return this.header.files[file - 1].split("/").pop() + (line > 0 ? ":" + line : "");
  }

  // "processes" or "threads" where a function is no code but one of these.
  rootKind(f) {
    return this.rootKinds[this.functionowners[f]];
  }

  // Whether there are frames of a kind.
  has(kind) {
    return this.functionowners.includes(this.header.roots[kind].owner);
  }
}

// MARK: Views

// What is shown of a tree. `settings`:
//   mode       "top" (from the root), "bottom" (from the leaves) or "around" (callers and callees)
//   subject    the function whose callers and callees are shown
//   processes  whether processes are frames
//   threads    whether threads are frames
//   collapse   whether a function that calls itself is one box
//   byWeight   whether the widest callee comes first
//   gone       whether what vanished is shown, in a differential tree
//   rules      [{action: "focus" | "ignore" | "hide", kind: "function" | "module", id}]
class View {
  constructor(tree, settings) {
    this.tree = tree;
    this.settings = settings;
    this.hidden = new Uint8Array(tree.names.length);
    this.own = tree.own;
    this.totals = tree.totals;
    for (let f = 0; f < this.hidden.length; f++) {
      const kind = tree.rootKind(f);
      this.hidden[f] = kind && !settings[kind] ? 1 : 0;
    }
    this.filter(settings.rules);
    if (settings.gone) this.keepGone();
    this.roots = this.makeRoots();
  }

  covers(rule, f) {
    if (rule.kind === "module") return this.tree.functionmodules[f] === rule.id;
    return f === rule.id;
  }

  // Zeroes the stacks that the rules leave out.
  filter(rules) {
    const tree = this.tree;
    for (const rule of rules.filter((rule) => rule.action === "hide")) {
      for (let f = 0; f < this.hidden.length; f++) if (this.covers(rule, f)) this.hidden[f] = 1;
    }
    const choosing = rules.filter((rule) => rule.action !== "hide").slice(0, 30);
    if (choosing.length === 0) return;
    const marks = new Int32Array(tree.names.length);
    let wanted = 0;
    let unwanted = 0;
    choosing.forEach((rule, index) => {
      if (rule.action === "focus") wanted |= 1 << index;
      else unwanted |= 1 << index;
      for (let f = 0; f < marks.length; f++) if (this.covers(rule, f)) marks[f] |= 1 << index;
    });
    const onPath = new Int32Array(tree.count);
    this.own = tree.own.map((column) => column.slice());
    for (let node = 0; node < tree.count; node++) {
      if (node > 0) onPath[node] = onPath[tree.callers[node]] | marks[tree.functions[node]];
      if ((onPath[node] & wanted) === wanted && (onPath[node] & unwanted) === 0) continue;
      for (const column of this.own) column[node] = 0;
    }
    this.totals = this.own.map((column) => tree.summed(column));
  }

  // Keeps what was there before and is no more, as wide as it was.
  keepGone() {
    const [now, before] = this.totals;
    const own = this.own[1].map((value, node) => (now[node] > 0 || before[node] <= 0 ? 0 : value));
    this.own = [own, own];
    const totals = this.tree.summed(own);
    this.totals = [totals, totals];
  }

  makeRoots() {
    const { mode, subject, gone } = this.settings;
    const label = gone ? "gone" : "all";
    if (mode === "around") {
      const nodes = this.outermost(subject);
      return [
        this.group(null, subject, { nodes }),
        this.group(null, subject, { at: nodes, from: nodes, measure: this.totals }),
      ];
    }
    if (mode === "bottom") {
      const from = [];
      for (let node = 0; node < this.tree.count; node++) {
        if (this.own.some((column) => column[node] > 0)) from.push(node);
      }
      return [this.group(null, -1, { at: from, from, measure: this.own, label })];
    }
    return [this.group(null, -1, { nodes: [0], label })];
  }

  // The nodes of a function that have no other of it above them.
  outermost(f) {
    const { functions, ends, count } = this.tree;
    const nodes = [];
    for (let node = 1; node < count; ) {
      if (functions[node] === f) nodes.push(node);
      node = functions[node] === f ? ends[node] : node + 1;
    }
    return nodes;
  }

  // A box: nodes whose callees are its own, or (bottom-up) the places `at` that the stacks `from`
  // have reached on their way to the root.
  group(caller, f, content) {
    const group = { caller, f, depth: caller ? caller.depth + 1 : 0, callees: null, ...content };
    const members = group.nodes || group.from;
    const measure = group.nodes ? this.totals : group.measure;
    group.values = measure.map((column) => {
      let sum = 0;
      for (const member of members) sum += column[member];
      return sum;
    });
    group.own = measure.map(() => 0);
    return group;
  }

  // The groups above or below a group, in the order in which they are drawn.
  callees(group) {
    if (!group.callees) {
      group.callees = group.nodes ? this.expandDown(group) : this.expandUp(group);
      const value = (callee) => callee.values[0];
      if (this.settings.byWeight) group.callees.sort((a, b) => value(b) - value(a) || a.f - b.f);
      else group.callees.sort((a, b) => a.f - b.f);
    }
    return group.callees;
  }

  expandDown(group) {
    const { functions, ends } = this.tree;
    const found = new Map();
    const open = group.nodes.slice();
    while (open.length > 0) {
      const node = open.pop();
      this.own.forEach((column, c) => (group.own[c] += column[node]));
      for (let callee = node + 1; callee < ends[node]; callee = ends[callee]) {
        const f = functions[callee];
        if (!this.totals.some((column) => column[callee] > 0)) continue;
        if (this.hidden[f] || (this.settings.collapse && f === group.f)) open.push(callee);
        else if (found.has(f)) found.get(f).push(callee);
        else found.set(f, [callee]);
      }
    }
    return Array.from(found, ([f, nodes]) => this.group(group, f, { nodes }));
  }

  expandUp(group) {
    const { functions, callers } = this.tree;
    const found = new Map();
    const isFirst = group.f < 0;
    for (let k = 0; k < group.at.length; k++) {
      const from = group.from[k];
      let node = isFirst ? group.at[k] : callers[group.at[k]];
      while (
        node > 0 &&
        (this.hidden[functions[node]] || (this.settings.collapse && functions[node] === group.f))
      ) {
        node = callers[node];
      }
      if (node === 0) {
        group.measure.forEach((column, c) => (group.own[c] += column[from]));
        continue;
      }
      const f = functions[node];
      if (!found.has(f)) found.set(f, { at: [], from: [], measure: group.measure });
      found.get(f).at.push(node);
      found.get(f).from.push(from);
    }
    return Array.from(found, ([f, content]) => this.group(group, f, content));
  }

  // MARK: Search

  // Finds the functions that `matches` accepts; null ends the search.
  search(matches) {
    this.found = null;
    if (!matches) return;
    const tree = this.tree;
    this.found = Uint8Array.from(tree.names, (name) => (matches(name) ? 1 : 0));
    const seen = Uint8Array.from(this.found, (found, f) => found & (1 - this.hidden[f]));
    const onPath = new Uint8Array(tree.count);
    const own = this.own[0].slice();
    for (let node = 0; node < tree.count; node++) {
      if (node > 0) onPath[node] = onPath[tree.callers[node]] | seen[tree.functions[node]];
      if (!onPath[node]) own[node] = 0;
    }
    this.foundOwn = own;
    this.foundTotals = tree.summed(own);
  }

  // The value of a group's stacks that have a match anywhere between root and leaf.
  foundIn(group) {
    const isBottom = group.measure === this.own;
    const column = isBottom ? this.foundOwn : this.foundTotals;
    let sum = 0;
    for (const member of group.nodes || group.from) sum += column[member];
    return sum;
  }

  isFound(group) {
    return this.found !== null && group.f >= 0 && this.found[group.f] === 1;
  }

  // The functions from the root to a group.
  path(group) {
    const path = [];
    for (let step = group; step.caller; step = step.caller) path.push(step.f);
    return path.reverse();
  }

  // The group that a path leads to, or as far as it can be followed.
  follow(root, path) {
    let group = root;
    for (const f of path) {
      const next = this.callees(group).find((callee) => callee.f === f);
      if (!next) break;
      group = next;
    }
    return group;
  }
}
