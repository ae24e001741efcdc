"""Compares the static boxes of flame graphs with what follows from the folded text itself.

usage: static.py WICK FOLDED…

Every call path of at least half a pixel must be there once: its start, width and own samples exact,
its place in the picture right to a hundredth of a pixel, callers before callees, and nothing else.
The exit code is 1 where something is not so.
"""

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

SVG = "{http://www.w3.org/2000/svg}"
WIDTH = 1176
LIMIT = 5000


def tree_of(path):
    """The merged tree: name -> [own, total, children]."""
    root = [0, 0, {}]
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            match = re.fullmatch(r"(.*)\s(\d+)(\.\d*)?\s*", line)
            if not match or line.startswith("# "):
                continue
            node = root
            weight = int(match[2])
            node[1] += weight
            for name in match[1].rstrip(";").split(";"):
                node = node[2].setdefault(name, [0, 0, {}])
                node[1] += weight
            node[0] += weight
    return root


def boxes_of(root):
    """(depth, start, width, own, name) of each box that can be seen, callers first."""
    boxes = []
    open_nodes = [(0, 0, "all", root)]
    while open_nodes:
        depth, start, name, node = open_nodes.pop()
        if node[1] == 0 or node[1] * WIDTH / root[1] < 0.5:
            continue
        boxes.append((depth, start, node[1], node[0], name))
        callees = []
        for callee in sorted(node[2]):
            callees.append((depth + 1, start, callee, node[2][callee]))
            start += node[2][callee][1]
        open_nodes += reversed(callees)
    return boxes


def main():
    wick, failed = sys.argv[1], 0
    for path in sys.argv[2:]:
        folder = tempfile.mkdtemp(prefix="wick-static-")
        atexit.register(shutil.rmtree, folder, True)
        graph = os.path.join(folder, "graph.svg")
        subprocess.run([wick, "flamegraph", path, "-o", graph], check=True,
                       stderr=subprocess.DEVNULL)
        root = tree_of(path)
        expected = boxes_of(root)
        if len(expected) > LIMIT:
            # The widest are kept, of equal ones the less deep and then the first.
            order = sorted(range(len(expected)), key=lambda i: (-expected[i][2], expected[i][0], i))
            expected = [expected[i] for i in sorted(order[:LIMIT])]
        found = []
        for box in xml.etree.ElementTree.parse(graph).iter(SVG + "g"):
            if "data-x" not in box.attrib:
                continue
            name = box.find(SVG + "title").text.split("\n")[0]
            found.append((int(box.get("data-d")), int(box.get("data-x")), int(box.get("data-w")),
                          int(box.get("data-s")), name))
            rect = box.find(SVG + "rect")
            for key, value in [("x", found[-1][1]), ("width", found[-1][2])]:
                pixels = float(rect.get(key).rstrip("%")) / 100 * WIDTH
                if abs(pixels - value / root[1] * WIDTH) > 0.01:
                    print(f"{path}: {name}: {key} {pixels} px")
                    failed += 1
        for one, other in zip(found, expected):
            if one != other:
                print(f"{path}: found {one}, expected {other}")
                failed += 1
                break
        if len(found) != len(expected):
            print(f"{path}: {len(found)} boxes, expected {len(expected)}")
            failed += 1
        print(f"{path}: {len(found)} boxes")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
