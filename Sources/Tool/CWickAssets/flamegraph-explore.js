// What a user does with the picture: pointer, keys, menus, search, history.

class Explorer {
  constructor(picture, tree) {
    this.picture = picture;
    this.tree = tree;
    this.root = picture.root;
    this.detail = this.root.querySelector(".detail");
    this.figures = this.root.querySelector(".figures");
    this.subtitle = this.root.querySelector(".subtitle");
    this.initial = Explorer.initial(tree);
    this.state = this.recalled();
    this.tools = new Tools(this);
    this.menu = new Menu(this);
    this.commands = this.makeCommands();
    this.listen();
    this.apply(this.state);
  }

  // MARK: State

  static initial(tree) {
    const { processes, threads } = tree.header.roots;
    return {
      mode: "top", subject: -1, icicle: false, processes: processes.isShown,
      threads: threads.isShown, collapse: false, byWeight: false, rules: [], panel: 0, zoom: [],
      query: "", sensitive: false,
    };
  }

  static get flags() {
    return ["icicle", "processes", "threads", "collapse", "byWeight", "sensitive"];
  }

  // The state that an address names: `#mode=bottom&zoom=0:1a.2&search=text…`, numbers in base 36.
  recalled() {
    const state = { ...this.initial, rules: [] };
    const words = new URLSearchParams(this.picture.isPage ? location.hash.slice(1) : "");
    const f = (text) => {
      const value = parseInt(text, 36);
      return value >= 0 && value < this.tree.names.length ? value : -1;
    };
    if (words.get("mode") === "bottom") state.mode = "bottom";
    state.subject = f(words.get("around") || "");
    if (state.subject >= 0) state.mode = "around";
    for (const flag of Explorer.flags) {
      if (words.has(flag)) state[flag] = words.get(flag) === "1";
    }
    for (const text of words.getAll("rule")) {
      const [action, kind, id] = text.split(".");
      const limit = kind === "module" ? this.tree.header.modules.length + 1 : this.tree.names.length;
      const value = parseInt(id, 36);
      if (["focus", "ignore", "hide"].includes(action) && ["function", "module"].includes(kind) &&
          value >= 0 && value < limit) {
        state.rules.push({ action, kind, id: value });
      }
    }
    const [panel, path] = (words.get("zoom") || "").split(":");
    state.panel = panel === "1" ? 1 : 0;
    if (path) state.zoom = path.split(".").map(f);
    state.query = words.get("search") || "";
    return state;
  }

  address(state) {
    const words = new URLSearchParams();
    if (state.mode === "bottom") words.set("mode", "bottom");
    if (state.mode === "around") words.set("around", state.subject.toString(36));
    for (const flag of Explorer.flags) {
      if (state[flag] !== this.initial[flag]) words.set(flag, state[flag] ? "1" : "0");
    }
    for (const rule of state.rules) {
      words.append("rule", [rule.action, rule.kind, rule.id.toString(36)].join("."));
    }
    const path = state.zoom.map((f) => f.toString(36)).join(".");
    // A longer one no browser takes.
    if (path && path.length < 30000) words.set("zoom", state.panel + ":" + path);
    if (state.query) words.set("search", state.query);
    return location.href.split("#")[0] + (words.toString() ? "#" + words : "");
  }

  remember(push) {
    if (!this.picture.isPage) return;
    try {
      if (push) history.pushState(this.state, "", this.address(this.state));
      else history.replaceState(this.state, "", this.address(this.state));
    } catch (error) {
      // Some viewers forbid it for files; the picture works without.
    }
  }

  // Changes the state as a step that "back" takes back.
  change(changes) {
    const isView = Object.keys(changes).some((key) => !["query", "sensitive"].includes(key));
    this.state = { ...this.state, ...changes };
    this.apply(this.state);
    this.remember(isView);
  }

  // Shows a state; keeps the view where only zoom and search differ.
  apply(state) {
    const parts = ["mode", "subject", "processes", "threads", "collapse", "byWeight", "rules"];
    const key = JSON.stringify(parts.map((part) => state[part]));
    if (key !== this.viewKey) {
      this.view = new View(this.tree, state);
      this.gone = this.tree.own.length > 1 && state.mode !== "around"
        ? new View(this.tree, { ...state, gone: true }) : null;
      this.viewKey = key;
      this.panels = null;
    }
    const inward = state.icicle ? 1 : -1;
    const isOther = !this.panels || this.inward !== inward;
    if (!this.panels || this.inward !== inward) {
      this.inward = inward;
      this.panels = this.view.roots.map(
        (root, index) =>
          new Panel(this.view, root, index > 0 ? -inward : inward, { joins: index > 0 }));
      if (this.gone && this.gone.roots[0].values[0] > 0) {
        this.panels.push(new Panel(this.gone, this.gone.roots[0], inward, { isAside: true }));
      }
    }
    this.panels.forEach((panel, index) => {
      panel.zoomed = index === state.panel ? panel.view.follow(panel.root, state.zoom) : panel.root;
    });
    this.picture.current = null;
    this.search();
    this.picture.show(this.panels);
    if (isOther) this.picture.scrollToRoot();
    this.tools.update();
    this.tell();
  }

  get zoomed() {
    return (this.panels[this.state.panel] || this.panels[0]).zoomed;
  }

  zoomTo(box) {
    const panel = this.panels.indexOf(box.panel);
    this.change({ panel, zoom: box.panel.view.path(box.group) });
  }

  reset() {
    this.change({ panel: 0, zoom: [] });
  }

  addRule(action, kind, id) {
    const known = this.state.rules.some(
      (rule) => rule.action === action && rule.kind === kind && rule.id === id);
    if (!known) this.change({ rules: [...this.state.rules, { action, kind, id }] });
  }

  // MARK: Detail lines

  unit(value) {
    return amountWithUnit(value, this.tree.header.unit);
  }

  amount(value) {
    return amount(value, this.tree.header.unit);
  }

  // How a group's value differs from the one before, such as `before 12, +3 (+25.00%)`.
  difference(box) {
    const [value, before] = box.group.values;
    if (box.panel.isAside) return "before, none after (gone)";
    const { difference } = this.tree.header;
    if (isNoise(difference, box.group.values)) {
      return "before " + this.amount(before) + ", within noise (\u00b1" +
        this.amount(noiseOf(difference, box.group.values)) + ")";
    }
    const sign = value >= before ? "+" : "";
    const share = before > 0 ? sign + ((100 * (value - before)) / before).toFixed(2) + "%" : "new";
    const change = sign + this.amount(value - before);
    return "before " + this.amount(before) + ", " + change + " (" + share + ")";
  }

  describe(box) {
    const { group } = box;
    const [value] = group.values;
    box.panel.view.callees(group);
    const parts = [this.unit(value)];
    if (this.tree.own.length > 1) parts.push(this.difference(box));
    const [own, ownBefore] = group.own;
    const change = own - ownBefore;
    const said = this.tree.own.length > 1 && !box.panel.isAside
      ? " (" + (change > 0 ? "+" : "") + this.amount(change) + ")" : "";
    parts.push("self " + this.amount(own) + said);
    parts.push(percent(value, this.tree.totals[0][0]) + " of all");
    const zoomed = box.panel.zoomed;
    if (zoomed.caller && !box.isCaller) {
      parts.push(percent(value, zoomed.values[0]) + " of zoomed");
    }
    if (group.caller) {
      parts.push(percent(value, group.caller.values[0]) + " of " +
        (group.nodes ? "caller" : "callee"));
    }
    const place = [this.tree.moduleOf(group.f), this.tree.sourceOf(group.f)].filter(Boolean);
    return [this.picture.nameOf(group), [...place, ...parts].join(" · ")];
  }

  tell() {
    const box = this.picture.current;
    const zoomedBox = this.zoomed.caller ? this.picture.boxOf(this.zoomed) : null;
    const subject = box || zoomedBox;
    const [name, figures] = subject
      ? this.describe(subject)
      : ["Point at a box for its figures, click to zoom, press / to search, ? for all keys.", ""];
    const columns = Math.floor(this.picture.width / this.picture.column);
    this.detail.classList.toggle("hint", !subject);
    this.detail.textContent = fitted(name, columns);
    this.figures.textContent = fitted(figures, columns);
  }

  point(box) {
    if (box === this.picture.current) return;
    this.picture.point(box);
    this.tell();
  }

  // MARK: Search

  // A literal text, or a regular expression between slashes; null for none.
  matcher() {
    const { query, sensitive } = this.state;
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

  search() {
    this.isWrong = false;
    let matcher = null;
    try {
      matcher = this.matcher();
    } catch (error) {
      this.isWrong = true;
    }
    const key = JSON.stringify([this.viewKey, this.state.query, this.state.sensitive]);
    if (key !== this.searchKey) {
      for (const view of [this.view, this.gone]) if (view) view.search(matcher);
      this.searchKey = key;
      this.hit = -1;
    }
    this.root.classList.toggle("searched", matcher !== null);
  }

  // What is matched of what is shown, as text.
  get matched() {
    if (this.isWrong) return "Not a valid expression";
    if (!this.view.found) return "";
    const zoomed = this.zoomed;
    const { view } = this.panels[this.state.panel] || this.panels[0];
    const found = view.foundIn(zoomed);
    const boxes = this.picture.foundBoxes().length;
    return (
      percent(found, zoomed.values[0]) + " in " + grouped(boxes) + (boxes === 1 ? " box" : " boxes"));
  }

  // Goes to the next box that is found, or the one before.
  step(by) {
    const boxes = this.picture.foundBoxes();
    if (boxes.length === 0) return;
    this.hit = (this.hit + by + boxes.length + (this.hit < 0 && by < 0 ? 1 : 0)) % boxes.length;
    this.point(boxes[this.hit]);
    this.picture.reveal(boxes[this.hit]);
  }

  // MARK: Commands

  // Everything that can be done, for keys, menus and the help. `needs` is "box" where it is done to
  // the current box's function.
  makeCommands() {
    const here = () => this.picture.current.group;
    const flag = (key, label, name) => ({
      key, label, menu: "view", checked: () => this.state[name],
      run: () => this.change({ [name]: !this.state[name] }),
    });
    const rule = (key, label, action, kind) => ({
      key, label, menu: "box", needs: "box",
      can: () => kind === "function" || this.tree.functionmodules[here().f] > 0,
      run: () => this.addRule(
        action, kind, kind === "module" ? this.tree.functionmodules[here().f] : here().f),
    });
    const mode = (key, label, mode) => ({
      key, label, menu: "view", checked: () => this.state.mode === mode,
      run: () => this.change({ mode, subject: -1, panel: 0, zoom: [] }),
    });
    return [
      { key: "Enter", label: "Zoom", menu: "box", needs: "current",
        run: () => this.zoomTo(this.picture.current) },
      { key: "s", label: "Callers and callees", menu: "box", needs: "box",
        run: () => this.change({ mode: "around", subject: here().f, panel: 0, zoom: [] }) },
      rule("f", "Only stacks with this function", "focus", "function"),
      rule("x", "Without stacks with this function", "ignore", "function"),
      rule("h", "Hide this function", "hide", "function"),
      rule("F", "Only stacks with this module", "focus", "module"),
      rule("X", "Without stacks with this module", "ignore", "module"),
      rule("H", "Hide this module", "hide", "module"),
      { key: "c", label: "Copy name", menu: "box", needs: "current",
        run: () => this.copy(this.picture.nameOf(here())) },
      { key: "C", label: "Copy stack", menu: "box", needs: "current",
        run: () => this.copy(this.stack(here())) },
      mode("t", "From the root", "top"),
      mode("b", "Bottom up, from the leaves", "bottom"),
      flag("i", "Icicle: root at the top", "icicle"),
      flag("o", "Widest first", "byWeight"),
      flag("r", "Collapse recursion", "collapse"),
      ...(this.tree.has("processes") ? [flag("P", "By process", "processes")] : []),
      flag("T", "By thread", "threads"),
      { key: "a", label: "Show everything again", menu: "view",
        run: () => this.change({ ...this.initial, icicle: this.state.icicle }) },
      { key: "/", label: "Search", run: () => this.tools.focus() },
      { key: "n", label: "Next found", run: () => this.step(1) },
      { key: "N", label: "Previous found", run: () => this.step(-1) },
      { key: "m", label: "Menu of the box", needs: "current", run: () => this.openMenu() },
      { key: "v", label: "View menu", run: () => this.tools.openView() },
      { key: "0", label: "Reset zoom", run: () => this.reset() },
      { key: "Backspace", label: "Back", run: () => history.back() },
      { key: "Escape", label: "Close, end search, zoom out", run: () => this.escape() },
      { key: "?", label: "Keys", menu: "view", run: () => this.menu.help() },
    ];
  }

  canRun(command) {
    const box = this.picture.current;
    if (command.needs && !box) return false;
    if (command.needs === "box" && box.group.f < 0) return false;
    return !command.can || command.can();
  }

  escape() {
    if (this.menu.isOpen) this.menu.close();
    else if (this.state.query) this.change({ query: "" });
    else if (this.state.zoom.length > 0) this.reset();
    else if (this.state.mode === "around") this.change({ mode: "top", subject: -1 });
  }

  stack(group) {
    const names = [];
    for (let step = group; step && step.f >= 0; step = step.caller) names.push(this.tree.names[step.f]);
    // Bottom-up groups have the leaf at their root.
    return (group.nodes ? names.reverse() : names).join("\n");
  }

  copy(text) {
    this.copied = text;
    const tell = (said) => (this.figures.textContent = said);
    const byHand = () => {
      const area = make(HTML, "textarea", { class: "copy" }, this.tools.bar);
      area.value = text;
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      this.picture.frames.focus({ preventScroll: true });
      tell(done ? "Copied." : "The browser does not allow to copy.");
    };
    if (!navigator.clipboard) byHand();
    else navigator.clipboard.writeText(text).then(() => tell("Copied."), byHand);
  }

  openMenu(x, y) {
    const box = this.picture.current;
    const place = this.root.getBoundingClientRect();
    const left = x === undefined ? box.x + this.picture.margin + 20 : x - place.left;
    const top = y === undefined
      ? this.picture.top + (box.row + 1) * this.picture.rowHeight : y - place.top;
    const commands = this.commands.filter((command) => command.menu === "box" && this.canRun(command));
    this.menu.open(left, top, commands, this.picture.nameOf(box.group));
  }

  // MARK: Events

  listen() {
    const { frames } = this.picture;
    frames.setAttribute("tabindex", "0");
    frames.setAttribute("role", "tree");
    frames.setAttribute("aria-label", "Flame graph: arrow keys move, Enter zooms, ? lists all keys");
    const at = (event) => this.picture.boxAt(event.clientX, event.clientY);
    frames.addEventListener("mousemove", (event) => this.point(at(event)));
    frames.addEventListener("mouseleave", () => !this.menu.isOpen && this.point(null));
    frames.addEventListener("click", (event) => {
      const wasOpen = this.menu.isOpen;
      this.menu.close();
      const box = at(event);
      if (box && !wasOpen) this.zoomTo(box);
    });
    frames.addEventListener("contextmenu", (event) => {
      const box = at(event);
      if (!box || event.shiftKey) return;
      event.preventDefault();
      this.point(box);
      this.openMenu(event.clientX, event.clientY);
    });
    frames.addEventListener("focus", () => {
      const base = this.picture.boxOf(this.zoomed);
      if (!this.picture.current && frames.matches(":focus-visible")) this.point(base);
    });
    (this.picture.isPage ? document : this.root).addEventListener("keydown", (event) => this.onKey(event));
    let pending = 0;
    const soon = (action) => {
      cancelAnimationFrame(pending);
      pending = requestAnimationFrame(action);
    };
    addEventListener("resize", () => soon(() => {
      this.picture.layOut();
      this.tools.update();
      this.tell();
    }));
    addEventListener("scroll", () => soon(() => this.picture.drawInSight()));
    if (!this.picture.isPage) return;
    addEventListener("popstate", (event) => {
      this.state = { ...Explorer.initial, ...(event.state || this.recalled()) };
      this.apply(this.state);
    });
    // The header stays in sight while a tall graph scrolls.
    addEventListener("scroll", () => {
      this.picture.header.setAttribute("transform", "translate(0 " + Math.max(scrollY, 0) + ")");
    });
  }

  onKey(event) {
    const typing = event.target === this.tools.query;
    const control = event.ctrlKey || event.metaKey;
    if (this.menu.isOpen && this.menu.onKey(event)) {
      event.preventDefault();
    } else if (control && event.key.toLowerCase() === "f" && !typing) {
      this.tools.focus();
      event.preventDefault();
    } else if (typing) {
      if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
      else if (event.key !== "Escape") return;
      else if (this.state.query) this.change({ query: "" });
      else this.picture.frames.focus({ preventScroll: true });
      event.preventDefault();
    } else if (!control && !event.altKey && this.onPlainKey(event)) {
      event.preventDefault();
    }
  }

  onPlainKey(event) {
    const isButton = event.target.closest && event.target.closest("button, input, a");
    if (isButton && (event.key === "Enter" || event.key === " ")) return false;
    const arrows = { ArrowLeft: "left", ArrowRight: "right" };
    arrows.ArrowUp = this.state.icicle ? "out" : "in";
    arrows.ArrowDown = this.state.icicle ? "in" : "out";
    if (arrows[event.key]) {
      let way = arrows[event.key];
      const current = this.picture.current;
      // In the panel that grows the other way in and out change places.
      if (current && current.panel.joins && way !== "left" && way !== "right") {
        way = way === "in" ? "out" : "in";
      }
      this.point(current ? this.picture.neighbor(current, way) : this.picture.boxOf(this.zoomed));
      if (this.picture.current) this.picture.reveal(this.picture.current);
      return true;
    }
    const command = this.commands.find((command) => command.key === event.key);
    if (!command || !this.canRun(command)) return false;
    command.run();
    return true;
  }
}
