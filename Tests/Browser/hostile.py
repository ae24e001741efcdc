"""Draws flame graphs of names that try to be markup, and checks that they stay text.

usage: hostile.py WICK

Prints what does not hold; the exit code is as of explore.py.
"""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.parsers.expat

import browser

MARKUP = [
    "<script>window.ran=1</script>", "</script><script>window.ran=1</script>",
    "]]></script><script>window.ran=1</script>", "]]>", "<![CDATA[", "<!--", "-->", "<?xml?>",
    "<!DOCTYPE svg>", "<svg onload='window.ran=1'/>", "</svg>", "</title><script>window.ran=1",
    "</desc></metadata><script>window.ran=1</script>", "\"><script>window.ran=1</script>",
    "' onmouseover='window.ran=1", "\" onload=\"window.ran=1", "&lt;script&gt;", "&amp;", "&#60;",
    "&#x3c;b&#x3e;", "&unknown", "&", "<", ">", "\"", "'", "\\", "\\u003cscript\\u003e", "${ran}",
    "`window.ran=1`", "javascript:window.ran=1", "<a href='javascript:window.ran=1'>x</a>",
    "<img src=x onerror=window.ran=1>", "<image href='http://127.0.0.1:9/x'/>",
    "<use href='http://127.0.0.1:9/x#y'/>", "<style>@import 'http://127.0.0.1:9/x'</style>",
    "url(http://127.0.0.1:9/x)", "<iframe src='http://127.0.0.1:9/'/>", "<object data='x'/>",
    "<foreignObject><body onload='window.ran=1'/></foreignObject>",
    "<animate attributeName='x' onbegin='window.ran=1'/>", "<set onend='window.ran=1'/>",
    "__proto__", "constructor", "toString", "hasOwnProperty", "\u202egnitset\u202c", "\u2066x\u2069",
    "\u200f\u200e", "\u0000", "\u0001\u0008\u001b[31m", "\u007f\u0085\u009b", "\u2028\u2029",
    "\ufffe\uffff", "\ufeff", "e\u0301" * 50, "\U0001f525" * 20, "\u4e2d\u6587" * 30, " ", "  x  ",
    "\t", "x" * 10000, "<" * 5000, "/", "//", "/(/", "/(a+)+$/", ".*", "[", "%00%3Cscript%3E",
]


def names():
    """200 hostile names as bytes: those above, whole, nested, and cut or broken as UTF-8."""
    result = [name.encode("utf-8", "surrogatepass") for name in MARKUP]
    result += [b"\xff\xfe", b"\xc3", b"\xed\xa0\x80<script>", b"a\x80b", b"\xf0\x9f", b"\xc0\xbc"]
    index = 0
    while len(result) < 200:
        name = MARKUP[index % len(MARKUP)][:300].encode()
        other = MARKUP[(index * 7 + 3) % len(MARKUP)][:300].encode()
        result.append([name + other, b"std::map<" + name + b">", name + b"\xff" + other][index % 3])
        index += 1
    # What ends a frame or a line is no part of a name.
    return [name.replace(b";", b":").replace(b"\n", b" ") for name in result]


def perf_script():
    """The same names as threads, functions and modules of perf's text."""
    lines = []
    for index, name in enumerate(names()):
        name = name.replace(b"\r", b" ")
        lines.append(b"%s %d/%d 1.%06d: 1 cpu-clock:\n" % (
            b"t" + name[:200].replace(b" ", b"_"), index + 1, index + 1, index))
        lines.append(b"\t%x %s+0x1 (/lib/%s)\n" % (4096 + index, b"f" + name, b"m" + name))
        lines.append(b"\t%x main+0x1 (/bin/server)\n\n" % (index + 1))
    return b"".join(lines)


def explore(driver, graph, problems):
    """Opens a graph, points everywhere, searches for everything."""
    driver.open(graph)
    driver.ready()
    for query in MARKUP:
        driver.run("""((text) => {
          const field = document.querySelector(".query");
          field.value = text;
          field.dispatchEvent(new Event("input"));
        })(%s)""" % json.dumps(query[:2000]))
    driver.run("""(async () => {
      const frames = document.querySelector(".frames[tabindex]");
      const place = frames.getBoundingClientRect();
      for (let x = 2; x < place.width; x += 5) {
        for (let y = 8; y < 72; y += 16) {
          const at = { clientX: place.x + x, clientY: place.bottom - y, bubbles: true };
          frames.dispatchEvent(new MouseEvent("mousemove", at));
          frames.dispatchEvent(new MouseEvent("contextmenu", { ...at, cancelable: true }));
        }
      }
    })()""")
    driver.key("Escape")
    driver.key("T")
    driver.painted()
    if driver.run("window.ran") is not None:
        problems.append("a script of a name ran")
    if driver.run("document.querySelectorAll('script').length") != 1:
        problems.append("a name became a script")


def main():
    if not browser.path():
        print("there is no browser")
        return 77
    problems = []
    folder = tempfile.mkdtemp(prefix="wick-hostile-")
    atexit.register(shutil.rmtree, folder, True)
    graph = os.path.join(folder, "<script>window.ran=1<!--.svg")
    text = os.path.join(folder, "x.folded")
    with open(text, "wb") as output:
        for index, name in enumerate(names()):
            output.write(b"root;" + name + b";" + name + b"\xe2\x98\x83 %d\n" % (index + 1))
    for title in ["plain"] + MARKUP:
        title = title.replace("\0", "")
        words = [sys.argv[1], "flamegraph", text, "-o", graph, "--title", title, "--subtitle", title,
                 "--notes", title, "--count-name", title or "samples"]
        made = subprocess.run(words, capture_output=True)
        if made.returncode != 0:
            problems.append(f"title {title[:40]!r}: {made.stderr.decode()}")
            continue
        with open(graph, "rb") as document:
            parser = xml.parsers.expat.ParserCreate()
            scripts = []
            parser.StartElementHandler = lambda name, _: scripts.append(name)
            try:
                parser.ParseFile(document)
            except xml.parsers.expat.ExpatError as error:
                problems.append(f"title {title[:40]!r}: {error}")
            if scripts.count("script") != 1 or scripts.count("a") + scripts.count("image") > 0:
                problems.append(f"title {title[:40]!r}: foreign elements")
    with browser.Browser() as driver:
        explore(driver, graph, problems)
        with open(text, "wb") as output:
            output.write(perf_script())
        made = subprocess.run([sys.argv[1], "flamegraph", text, "-o", graph], capture_output=True)
        if made.returncode != 0:
            problems.append(f"perf script: {made.stderr.decode()}")
        explore(driver, graph, problems)
        modules = driver.run("document.querySelectorAll('.frames g').length")
        if modules < 100:
            problems.append(f"perf script: only {modules} boxes")
        # The policy holds as well: whatever would ask is refused.
        driver.run("fetch('http://127.0.0.1:9/asked').catch(() => 0)")
        driver.run("""(() => {
          const script = document.createElementNS("http://www.w3.org/2000/svg", "script");
          script.textContent = "window.ran = 2";
          document.documentElement.append(script);
        })()""")
        if driver.run("window.ran") is not None:
            problems.append("a script that was put in ran")
        driver.painted()
        for event in driver.events:
            if event.get("method") == "Network.requestWillBeSent":
                url = event["params"]["request"]["url"]
                if not url.startswith(("file:", "about:")):
                    problems.append("asked for " + url)
            if event.get("method") == "Runtime.exceptionThrown":
                problems.append(str(event["params"])[:300])
    for problem in problems:
        print(problem)
    print(f"{len(names())} names, {len(MARKUP) + 1} titles: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
