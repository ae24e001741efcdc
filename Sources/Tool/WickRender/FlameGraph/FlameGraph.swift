public import WickProfile

/// A flame graph of a call tree: one SVG file that is complete without script and explores with it.
///
/// Every call path is one box, as wide as its share of the total; the root lies at the bottom and
/// callees on top of their callers. The file asks for nothing outside itself, every name in it is
/// text, and the same tree gives the same bytes.
public struct FlameGraph: Sendable {
  let tree: CallTree
  let options: Options
  let layout: FlameGraphLayout

  /// Lays a call tree out.
  public init(_ tree: CallTree, options: Options = Options()) {
    self.tree = tree
    self.options = options
    layout = FlameGraphLayout(
      tree, minimumWidth: options.minimumWidth, maximumBoxCount: options.maximumBoxCount)
  }

  /// Writes the SVG document, in pieces, as UTF-8 text.
  public func write(to output: inout some TextOutputStream) {
    FlameGraphWriter(self).write(to: &output)
  }
}
