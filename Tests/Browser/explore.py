"""Explores a flame graph as a user does, in a real browser, and checks what is shown.

usage: explore.py WICK    (the command to draw with)

Prints a line for each fact that does not hold, and at the end how many were checked; the exit code
is 1 where one does not hold, 77 where there is no browser.
"""

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import browser

STACKS = """\
main;serve;query;step 30
main;serve;query;step;step 20
main;serve;render 25
main;log;step 5
main;log 10
idle 10
all 100
"""

checked = 0
failed = 0


def check(name, found, expected):
    global checked, failed
    checked += 1
    if found != expected:
        failed += 1
        print(f"{name}:\n  found    {found!r}\n  expected {expected!r}")


# What is shown: every box as "name x width" in percent, rows from the root on.
BOXES = """(() => {
  const whole = Number(document.querySelector(".frames[tabindex]").getAttribute("width"));
  const round = (value) => String(Math.round((value / whole) * 10000) / 100);
  return [...document.querySelectorAll('.frames g[role=treeitem]')]
    .filter((g) => g.getAttribute("display") !== "none")
    .map((g) => {
      const rect = g.querySelector("rect");
      const name = g.getAttribute("aria-label").split(", ")[0];
      return { y: Number(rect.getAttribute("y")), x: Number(rect.getAttribute("x")),
        text: [name, round(rect.getAttribute("x")), round(rect.getAttribute("width"))].join(" ") };
    })
    .sort((a, b) => SIGN * (a.y - b.y) || a.x - b.x).map((box) => box.text).join("|");
})()"""


class Page:
    """A flame graph in a browser."""

    def __init__(self, driver, file, fragment=""):
        self.browser = driver
        driver.open(file, fragment)
        driver.ready()

    def text(self, selector):
        return self.browser.run(f"document.querySelector({json.dumps(selector)}).textContent")

    def boxes(self, icicle=False):
        return self.browser.run(BOXES.replace("SIGN", "1" if icicle else "-1"))

    def place(self, name, index=0):
        """The middle of a box by its name."""
        return self.browser.run(f"""(() => {{
          const boxes = [...document.querySelectorAll('.frames g[role=treeitem]')]
            .filter((g) => g.getAttribute("display") !== "none")
            .filter((g) => g.getAttribute("aria-label").startsWith({json.dumps(name + ", ")}));
          const y = (g) => Number(g.querySelector("rect").getAttribute("y"));
          boxes.sort((a, b) => y(b) - y(a));
          const place = boxes[{index}].getBoundingClientRect();
          return [place.x + place.width / 2, place.y + place.height / 2];
        }})()""")

    def point(self, name, index=0):
        self.browser.mouse(*self.place(name, index))
        return self.text(".detail") + " | " + self.text(".figures")

    def click(self, name, index=0):
        self.browser.mouse(*self.place(name, index), "left")

    def press(self, *keys):
        for key in keys:
            self.browser.key(key)

    def search(self, text):
        self.press("/")
        self.browser.type(text)
        return self.text(".matched")

    def current(self):
        return self.text(".detail")

    def fragment(self):
        return self.browser.run("location.hash")

    def menu(self):
        return self.browser.run(
            "[...document.querySelectorAll('.menu .label')].map((e) => e.textContent)")


WHOLE = ("all 0 100|all 0 50|idle 50 5|main 55 45|log 55 7.5|serve 62.5 37.5|step 55 2.5|"
         "query 62.5 25|render 87.5 12.5|step 62.5 25|step 62.5 10")
SERVE = ("all 0 100|main 0 100|serve 0 100|query 0 66.67|render 66.67 33.33|step 0 66.67|"
         "step 0 26.67")
BOTTOM = ("all 0 100|all 0 50|idle 50 5|log 55 5|render 60 12.5|step 72.5 27.5|main 55 5|"
          "serve 60 12.5|log 72.5 2.5|query 75 15|step 90 10|main 60 12.5|main 72.5 2.5|serve 75 15|"
          "query 90 10|main 75 15|serve 90 10|main 90 10")


def zooming(page):
    check("the whole", page.boxes(), WHOLE)
    page.click("serve")
    check("zoomed", page.boxes(), SERVE)
    check("zoom is in the address", "zoom=0%3A" in page.fragment(), True)
    page.click("main")
    check("zoomed to a caller", page.boxes().split("|")[:4],
          ["all 0 100", "main 0 100", "log 0 16.67", "serve 16.67 83.33"])
    page.browser.run("history.back()")
    page.browser.painted()
    check("back", page.boxes(), SERVE)
    page.browser.run("history.forward()")
    page.browser.painted()
    check("forward", page.boxes().split("|")[2], "log 0 16.67")
    page.browser.run("document.querySelector('.reset').click()")
    check("reset", page.boxes(), WHOLE)


def details(page):
    check("detail", page.point("query"),
          "query | 50 samples · self 0 · 25.00% of all · 66.67% of caller")
    page.click("serve")
    check("detail within a zoom", page.point("render"),
          "render | 25 samples · self 25 · 12.50% of all · 33.33% of zoomed · 33.33% of caller")
    page.press("0")
    check("0 resets", page.boxes(), WHOLE)


def searching(page):
    check("search", page.search("STEP"), "27.50% in 3 boxes")
    page.press("Enter")
    first = page.current()
    page.press("Enter", "Enter")
    check("next found", [first, page.current()], ["step", "step"])
    page.press("Escape", "Escape")
    page.click("serve")
    page.search("STEP")
    check("search in a zoom", page.text(".matched"), "66.67% in 2 boxes")
    page.press("Escape")
    check("ended", page.text(".matched"), "")
    page.press("Escape", "0")
    for text, expected in [
            ("all", "50.00% in 1 box"), ("/^(query|log)$/", "32.50% in 2 boxes"),
            ("s.e", "0.00% in 0 boxes"), ("/(/", "Not a valid expression"),
            ("step", "27.50% in 3 boxes")]:
        check("search " + text, page.search(text), expected)
        if text != "step":
            page.press("Escape", "Escape")
    page.browser.run("document.querySelector('.case').click()")
    page.press("Escape", "Escape")
    check("with case", page.search("STEP"), "0.00% in 0 boxes")
    check("search is in the address", "search=STEP" in page.fragment(), True)
    page.press("Escape", "Escape")
    page.browser.run("document.querySelector('.case').click()")


def keyboard(page):
    page.browser.run("document.querySelector('.frames[tabindex]').focus()")
    page.press("ArrowUp")
    seen = []
    for key in ["ArrowUp", "ArrowRight", "ArrowRight", "ArrowUp", "ArrowUp", "ArrowDown"]:
        page.press(key)
        seen.append(page.current())
    check("arrows", seen, ["all", "idle", "main", "serve", "query", "serve"])
    page.press("Enter")
    check("Enter zooms", page.boxes(), SERVE)
    page.press("Escape")
    check("Escape zooms out", page.boxes(), WHOLE)
    check("roles", page.browser.run(
        "document.querySelector('.frames[tabindex]').getAttribute('role')"), "tree")


def views(page):
    page.press("i")
    check("icicle", page.boxes(icicle=True), WHOLE)
    page.press("i", "b")
    check("bottom up", page.boxes(), BOTTOM)
    page.press("t", "o")
    check("widest first", page.boxes().split("|")[:4],
          ["all 0 100", "all 0 50", "main 50 45", "idle 95 5"])
    page.press("o", "r")
    check("recursion collapsed", page.boxes().count("step"), 2)
    page.press("r")
    page.point("step", 1)
    page.press("s")
    # The subject's row, then callees above and callers below.
    check("callers and callees", sorted(page.boxes().split("|")), sorted([
        "step 0 100", "step 0 36.36", "log 0 9.09", "query 9.09 90.91", "main 0 9.09",
        "serve 9.09 90.91", "main 9.09 90.91"]))
    page.press("Escape")
    check("Escape leaves", page.boxes(), WHOLE)


def rules(page):
    page.point("query")
    page.press("f")
    check("focus", page.boxes(),
          "all 0 100|main 0 100|serve 0 100|query 0 100|step 0 100|step 0 40")
    check("a chip says so", page.text(".rules"), "only query ×")
    page.browser.run("document.querySelector('.rule').click()")
    check("taken back", page.boxes(), WHOLE)
    page.point("all", 1)
    page.press("x")
    check("ignored", page.boxes().split("|")[:3], ["all 0 100", "idle 0 10", "main 10 90"])
    page.press("a")
    page.point("serve")
    page.press("h")
    check("hidden", page.boxes().split("|")[4:7], ["log 55 7.5", "query 62.5 25", "render 87.5 12.5"])
    page.press("a")
    check("everything again", page.boxes(), WHOLE)
    page.browser.mouse(*page.place("query"), "right")
    check("menu", page.menu()[:3], ["Zoom", "Callers and callees", "Only stacks with this function"])
    page.press("ArrowDown", "ArrowDown", "Enter")
    check("menu by keys", page.text(".rules"), "only query ×")
    page.press("a", "v")
    check("view menu", "Bottom up, from the leaves" in page.menu(), True)
    page.press("Escape", "?")
    check("keys", "Copy stack" in page.text(".keys"), True)
    page.press("Escape")


def copying(page):
    page.browser.run("""
      navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); };
      void 0""")
    page.point("query")
    page.press("c")
    check("name copied", page.browser.run("window.copied"), "query")
    page.press("C")
    check("stack copied", page.browser.run("window.copied"), "main\nserve\nquery")


def links(driver, file):
    page = Page(driver, file)
    page.point("query")
    page.press("f", "b", "/")
    driver.type("ser")
    fragment = page.fragment()[1:]
    shown = page.boxes()
    again = Page(driver, file, fragment)
    check("a link shows the same", again.boxes(), shown)
    check("and finds the same", again.text(".matched"), page.text(".matched"))
    for hostile in ["zoom=0:zz.zz", "zoom=9:0", "around=zzzzzz", "rule=focus.module.zz",
                    "rule=a.b.c", "mode=%ff", "search=/(/", "zoom=0:" + "0." * 3000 + "0"]:
        page = Page(driver, file, hostile)
        check("hostile link " + hostile[:20], page.boxes().split("|")[0], "all 0 100")


def threads(driver, wick, folder):
    text = os.path.join(folder, "perf.txt")
    with open(text, "w") as output:
        for name, tid, function, count in [("io", 11, "read", 3), ("io", 12, "read", 1),
                                           ("cpu", 13, "work", 4)]:
            for sample in range(count):
                output.write(f"{name} 10/{tid} 1.{sample}: 1 cpu-clock:\n"
                             f"\t1234 {function}+0x4 (/usr/lib/libc.so.6)\n"
                             f"\t5678 main+0x8 (/srv/server)\n\n")
    graph = os.path.join(folder, "threads.svg")
    subprocess.run([wick, "flamegraph", text, "-o", graph], check=True, capture_output=True)
    page = Page(driver, graph)
    merged = "all 0 100|cpu 0 50|io 50 50|main 0 50|main 50 50|work 0 50|read 50 50"
    check("threads merged", page.boxes(), merged)
    page.press("T")
    check("by thread", page.boxes().split("|")[:4],
          ["all 0 100", "cpu (tid 13) 0 50", "io (tid 11) 50 37.5", "io (tid 12) 87.5 12.5"])
    page.point("io (tid 11)")
    page.press("f")
    check("one thread", page.boxes(), "all 0 100|io (tid 11) 0 100|io 0 100|main 0 100|read 0 100")
    page.press("T")
    check("one thread, not shown", page.boxes(), "all 0 100|io 0 100|main 0 100|read 0 100")
    page.press("a")
    page.point("read")
    page.press("X")
    check("without a module", page.text(".rules"), "without libc.so.6 ×")
    page.press("a")
    page.point("read")
    page.press("H")
    check("module hidden", page.boxes(), "all 0 100|cpu 0 50|io 50 50|main 0 50|main 50 50")
    page.press("a")
    check("module in the detail", "libc.so.6 · 4 samples" in page.point("read"), True)
    page.search("main")
    page.press("Enter", "Enter")
    driver.run("document.querySelector('.frames[tabindex]').focus()")
    first = driver.run("document.querySelector('.frames .current').getAttribute('x')")
    page.press("N")
    second = driver.run("document.querySelector('.frames .current').getAttribute('x')")
    page.press("n")
    third = driver.run("document.querySelector('.frames .current').getAttribute('x')")
    check("previous and next found", [first != second, first == third], [True, True])


def processes(driver, wick, folder):
    text = os.path.join(folder, "several.txt")
    with open(text, "w") as output:
        for name, ids, count in [("web", "10/10", 3), ("web", "10/11", 1), ("db", "20/20", 4)]:
            for sample in range(count):
                output.write(f"{name} {ids} 1.{sample}: 1 cpu-clock:\n"
                             f"\t5678 main+0x8 (/srv/server)\n\n")
    merged = "all 0 100|db 0 50|web 50 50|main 0 50|main 50 50"
    split = ("all 0 100|db (pid 20) 0 50|web (pid 10) 50 50|db 0 50|web 50 50|main 0 50|"
             "main 50 50")
    both = ["all 0 100", "db (pid 20) 0 50", "web (pid 10) 50 50", "db (tid 20) 0 50",
            "web (tid 10) 50 37.5", "web (tid 11) 87.5 12.5"]
    graph = os.path.join(folder, "processes.svg")
    for options, first, flag in [([], merged, "processes=1"), (["--processes"], split, "processes=0")]:
        subprocess.run([wick, "flamegraph", text, "-o", graph, *options], check=True,
                       capture_output=True)
        page = Page(driver, graph)
        check("processes at first", page.boxes(), first)
        page.press("P")
        other = split if first == merged else merged
        check("the other way", page.boxes(), other)
        check("is in the address", page.fragment(), "#" + flag)
        check("a link to it", Page(driver, graph, flag).boxes(), other)
        page = Page(driver, graph)
        page.press(*("T" if options else "PT"))
        check("by process and thread", page.boxes().split("|")[:6], both)
        page.point("web (pid 10)")
        page.press("x")
        check("without a process", page.boxes().split("|")[:2], ["all 0 100", "db (pid 20) 0 100"])
        page.press("a")
        check("as at first", page.boxes(), first)
    check("a process has no module", page.point("db (pid 20)"),
          "db (pid 20) | 4 samples · self 0 · 50.00% of all · 50.00% of caller")


BEFORE = "main;a;x 400\nmain;b 300\nmain;old;y 200\nmain;c 100\n"
AFTER = "main;a;x 800\nmain;b 310\nmain;new 90\nmain;c 20\n"


def differences(driver, wick, folder):
    names = []
    for name, text in [("before", BEFORE), ("after", AFTER)]:
        names.append(os.path.join(folder, name + ".folded"))
        with open(names[-1], "w") as output:
            output.write(text)
    graph = os.path.join(folder, "diff.svg")
    subprocess.run([wick, "diff", *names, "--svg", graph], check=True, capture_output=True)
    with open(graph) as document:
        static = re.findall(r"<title>([^\n<]*)\n[^<]*</title>\s*<rect[^>]*fill=\"(#......)\"",
                            document.read())
    page = Page(driver, graph)
    colors = driver.run("""[...document.querySelectorAll(".frames g[role=treeitem]")]
      .filter((g) => g.getAttribute("display") !== "none")
      .map((g) => [g.getAttribute("aria-label").split(", ")[0],
        "#" + getComputedStyle(g.querySelector("rect")).fill.match(/[0-9]+/g)
          .map((part) => Number(part).toString(16).padStart(2, "0")).join("")])""")
    check("colors of differences", sorted(map(tuple, colors)), sorted(static))
    check("what vanished stands aside, in the same scale",
          [box for box in page.boxes().split("|") if box.startswith(("all", "gone"))],
          ["all 0 85.37", "gone 86.01 13.99"])
    check("new", page.point("new").split(" | ")[1],
          "90 samples · before 0, +90 (new) · self 90 (+90) · 7.38% of all · 7.38% of caller")
    check("more", page.point("x").split(" | ")[1],
          "800 samples · before 400, +400 (+100.00%) · self 800 (+400) · 65.57% of all · "
          "100.00% of caller")
    check("within noise", "before 300, within noise (±74)" in page.point("b"), True)
    check("gone", "before, none after (gone)" in page.point("y"), True)
    page.click("y")
    check("zoomed into what vanished", page.boxes(),
          "gone 0 100|main 0 100|old 0 100|y 0 100")


def main():
    if not browser.path():
        print("there is no browser")
        return 77
    folder = tempfile.mkdtemp(prefix="wick-explore-")
    atexit.register(shutil.rmtree, folder, True)
    text = os.path.join(folder, "stacks.folded")
    with open(text, "w") as output:
        output.write(STACKS)
    graph = os.path.join(folder, "graph.svg")
    subprocess.run([sys.argv[1], "flamegraph", text, "-o", graph], check=True,
                   stderr=subprocess.DEVNULL)
    with browser.Browser() as driver:
        for steps in [zooming, details, searching, keyboard, views, rules, copying]:
            steps(Page(driver, graph))
        links(driver, graph)
        threads(driver, sys.argv[1], folder)
        processes(driver, sys.argv[1], folder)
        differences(driver, sys.argv[1], folder)
        errors = [event["params"] for event in driver.events
                  if event.get("method") == "Runtime.exceptionThrown"]
        check("no exception", errors, [])
    print(f"{checked} facts, {failed} do not hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
