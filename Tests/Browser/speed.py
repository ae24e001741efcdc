"""Measures how fast a flame graph opens, zooms and searches in a real browser, and takes pictures.

usage: speed.py GRAPH.svg [FOLDER]    (pictures go to FOLDER)

Times are milliseconds: from the start of the navigation to the first picture and until the script
has taken over; from a click or key until two frames later, when what it changed is painted.
"""

import json
import os
import sys

import browser

TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def timed(driver, action):
    return driver.run(f"""(async () => {{
      await {TWO_FRAMES};
      const start = performance.now();
      {action};
      const handled = performance.now() - start;
      await {TWO_FRAMES};
      return [handled, performance.now() - start];
    }})()""")


def zoom(share):
    """Clicks the box nearest to a share of the width, of those deep in the tree."""
    return f"""(() => {{
      const frames = document.querySelector(".frames[tabindex]");
      const width = Number(frames.getAttribute("width"));
      const boxes = [...document.querySelectorAll(".frames g[role=treeitem]")]
        .filter((g) => g.getAttribute("display") !== "none")
        .map((g) => [Math.abs(g.querySelector("rect").width.baseVal.value / width - {share}), g]);
      boxes.sort((a, b) => a[0] - b[0]);
      const place = boxes[0][1].getBoundingClientRect();
      const at = {{ clientX: place.x + place.width / 2, clientY: place.y + 4, bubbles: true }};
      frames.dispatchEvent(new MouseEvent("click", at));
    }})()"""


def search(text):
    return f"""(() => {{
      const field = document.querySelector(".query");
      field.value = {json.dumps(text)};
      field.dispatchEvent(new Event("input"));
    }})()"""


def main():
    graph = sys.argv[1]
    folder = sys.argv[2] if len(sys.argv) > 2 else None
    with browser.Browser() as driver:
        driver.open(graph)
        driver.ready()
        driver.painted()
        paint = driver.run("""performance.getEntriesByType("paint")
          .filter((entry) => entry.name === "first-contentful-paint")[0].startTime""")
        ready = driver.run("document.documentElement.dataset.readyAt")
        print(f"{os.path.getsize(graph) / 1e6:.2f} MB, "
              f"{driver.run('document.querySelectorAll(chr).length'.replace('chr', '`*`'))} elements")
        print(f"first picture            {paint:8.0f}")
        print(f"script has taken over    {float(ready):8.0f}")
        if folder:
            driver.screenshot(os.path.join(folder, "whole.png"))
        for name, action in [
                ("zoom to a third", zoom(0.33)), ("reset", "document.querySelector('.reset').click()"),
                ("zoom to a tenth", zoom(0.1)), ("zoom deeper", zoom(0.5)),
                ("reset", "document.querySelector('.reset').click()"),
                ("search a word", search("render")), ("search by expression", search("/^Render.*flush/")),
                ("zoom while searching", zoom(0.33)), ("end search", search(""))]:
            handled, painted = timed(driver, action)
            print(f"{name:24} {painted:8.0f}   ({handled:.0f} until handled)")
        if folder:
            driver.screenshot(os.path.join(folder, "zoomed.png"))


if __name__ == "__main__":
    main()
