// The tools in the header, and menus: HTML inside the picture.

class Tools {
  constructor(explorer) {
    this.explorer = explorer;
    const { header } = explorer.picture;
    this.place = make(SVG, "foreignObject", { y: 4, height: 32 }, header);
    this.bar = make(HTML, "div", { class: "tools", role: "toolbar", "aria-label": "Tools" }, this.place);
    this.matched = make(HTML, "span", { class: "matched", role: "status" }, this.bar);
    this.previous = this.button("previous", "\u25b4", "Previous found (N)", () => explorer.step(-1));
    this.next = this.button("next", "\u25be", "Next found (n)", () => explorer.step(1));
    this.query = make(HTML, "input", {
      class: "query", type: "text", placeholder: "Search  ( / )", spellcheck: "false",
      autocomplete: "off", "aria-label": "Search function names: text, or /expression/",
      title: "Text, or a regular expression between slashes",
    }, this.bar);
    this.query.addEventListener("input", () => explorer.change({ query: this.query.value }));
    this.sensitive = this.button("case", "Aa", "Match case", () =>
      explorer.change({ sensitive: !explorer.state.sensitive }));
    this.reset = this.button("reset", "Reset zoom", "Reset zoom (0)", () => explorer.reset());
    this.views = this.button("views", "View \u25be", "Views (v)", () => this.openView());
    this.views.setAttribute("aria-haspopup", "menu");
    this.rulesPlace = make(SVG, "foreignObject", { x: 0, y: 35, height: 21 }, header);
    this.rules = make(HTML, "div", { class: "rules" }, this.rulesPlace);
  }

  button(name, text, title, run) {
    const button = make(HTML, "button", { class: name, type: "button", title, "aria-label": title }, this.bar);
    button.textContent = text;
    button.addEventListener("click", run);
    return button;
  }

  focus() {
    this.query.focus();
    this.query.select();
  }

  openView() {
    const { explorer } = this;
    const place = this.views.getBoundingClientRect();
    const root = explorer.root.getBoundingClientRect();
    const commands = explorer.commands.filter((command) => command.menu === "view");
    explorer.menu.open(place.right - root.left - 290, place.bottom - root.top + 4, commands, "View");
  }

  // Shows the explorer's state.
  update() {
    const { explorer } = this;
    const { state, picture } = explorer;
    const available = picture.width + 2 * picture.margin;
    const width = Math.min(760, available);
    this.place.setAttribute("x", available - width);
    this.place.setAttribute("width", width);
    this.rulesPlace.setAttribute("width", available);
    if (this.query.value !== state.query) this.query.value = state.query;
    this.sensitive.setAttribute("aria-pressed", String(state.sensitive));
    this.reset.hidden = state.zoom.length === 0;
    this.matched.textContent = explorer.matched;
    this.matched.classList.toggle("wrong", explorer.isWrong);
    this.previous.hidden = this.next.hidden = !explorer.view.found;
    this.showRules();
  }

  // What the view leaves out, each with a button that takes it back.
  showRules() {
    const { explorer } = this;
    const { state, tree } = explorer;
    const verbs = { focus: "only", ignore: "without", hide: "hidden" };
    this.rules.replaceChildren();
    const add = (text, changes) => {
      const chip = make(HTML, "button", { class: "rule", type: "button", title: "Take back" }, this.rules);
      chip.textContent = text + " \u00d7";
      chip.addEventListener("click", () => explorer.change(changes));
    };
    if (state.mode === "around") {
      add("callers and callees of " + tree.names[state.subject], { mode: "top", subject: -1, zoom: [] });
    }
    if (state.mode === "bottom") add("bottom up", { mode: "top", zoom: [] });
    for (const rule of state.rules) {
      const name = rule.kind === "module" ? tree.header.modules[rule.id - 1] : tree.names[rule.id];
      add(verbs[rule.action] + " " + fitted(name || "no module", 48), {
        rules: state.rules.filter((other) => other !== rule),
      });
    }
    const isShown = this.rules.children.length > 0;
    this.rulesPlace.setAttribute("display", isShown ? "inline" : "none");
    explorer.subtitle.setAttribute("visibility", isShown ? "hidden" : "visible");
  }
}

// A list of commands at a place, or the list of keys.
class Menu {
  constructor(explorer) {
    this.explorer = explorer;
    this.place = make(SVG, "foreignObject", { width: 290, height: 10, display: "none" }, explorer.root);
  }

  get isOpen() {
    return this.place.getAttribute("display") !== "none";
  }

  close() {
    if (!this.isOpen) return;
    this.place.setAttribute("display", "none");
    this.place.replaceChildren();
    this.explorer.picture.frames.focus({ preventScroll: true });
  }

  open(x, y, commands, title) {
    this.place.replaceChildren();
    const box = make(HTML, "div", { class: "menu", role: "menu", "aria-label": title }, this.place);
    make(HTML, "div", { class: "menu-title" }, box).textContent = fitted(title, 38);
    this.items = commands.map((command) => {
      const checked = command.checked && command.checked();
      const item = make(HTML, "button", {
        class: "item", type: "button", tabindex: "-1",
        role: command.checked ? "menuitemcheckbox" : "menuitem",
      }, box);
      if (command.checked) item.setAttribute("aria-checked", String(checked));
      make(HTML, "span", { class: "tick" }, item).textContent = checked ? "\u2713" : "";
      make(HTML, "span", { class: "label" }, item).textContent = command.label;
      make(HTML, "kbd", {}, item).textContent = command.key;
      item.addEventListener("click", () => {
        this.close();
        command.run();
      });
      return item;
    });
    this.put(x, y, 290, 34 + 26 * commands.length);
    if (this.items[0]) this.items[0].focus({ preventScroll: true });
  }

  help() {
    this.place.replaceChildren();
    const box = make(HTML, "div", { class: "menu keys", role: "dialog", "aria-label": "Keys", tabindex: "-1" }, this.place);
    const rows = [{ key: "\u2190 \u2191 \u2192 \u2193", label: "Move between boxes" }, ...this.explorer.commands];
    for (const command of rows) {
      const row = make(HTML, "div", { class: "key" }, box);
      make(HTML, "kbd", {}, row).textContent = command.key;
      make(HTML, "span", {}, row).textContent = command.label;
    }
    this.items = [];
    const half = Math.ceil(rows.length / 2);
    this.put(this.explorer.picture.margin, this.explorer.picture.top, 640, 16 + 24 * half);
    box.focus({ preventScroll: true });
  }

  put(x, y, width, height) {
    const { picture, root } = this.explorer;
    const available = picture.width + 2 * picture.margin;
    const top = -root.getBoundingClientRect().top;
    const bottom = top + innerHeight;
    this.place.setAttribute("x", Math.max(0, Math.min(x, available - width)));
    this.place.setAttribute("y", Math.max(top, Math.min(y, bottom - height - 8)));
    this.place.setAttribute("width", width);
    this.place.setAttribute("height", height + 8);
    this.place.setAttribute("display", "inline");
    root.append(this.place);
  }

  // Returns whether the key was for the menu.
  onKey(event) {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      this.close();
    } else if (move && this.items.length > 0) {
      const at = this.items.indexOf(document.activeElement);
      this.items[(at + move + this.items.length) % this.items.length].focus({ preventScroll: true });
    } else if (event.key === "Enter" || event.key === " ") {
      const item = this.items.find((item) => item === document.activeElement);
      if (item) item.click();
      else this.close();
    } else {
      return false;
    }
    return true;
  }
}
