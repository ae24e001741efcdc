// Explores a flame graph. The picture stands without it: the script takes the place of the static
// boxes once the whole tree, which the document carries, is read.

async function begin(root) {
  const data = root.querySelector(".tree");
  if (!data || typeof DecompressionStream === "undefined") return;
  const tree = new Tree(await inflate(Array.from(data.children, (part) => part.textContent).join("")));
  data.remove();
  if (!(tree.totals[0][0] > 0)) return;
  const picture = new Picture(root, tree);
  new Explorer(picture, tree);
  root.dataset.readyAt = performance.now();
  root.dataset.state = "ready";
}

begin(document.currentScript.closest("svg.wick"));
