public import WickProfile

/// A flame graph of a profile: one SVG file that is right without script and explores with it.
///
/// Every call path is one box, as wide as its share of the total; the root lies at the bottom and
/// callees on top of their callers. Boxes that can be seen stand in the file as such; the whole tree,
/// with threads and processes, stands beside them for the script. The file asks for nothing outside itself, every
/// name in it is text, and the same profile gives the same bytes.
public struct FlameGraph: Sendable {
  let options: Options
  let valueType: ValueType
  /// Merged over threads and processes but for those that are among `options.roots`.
  let paths: CallPaths
  let layout: FlameGraphLayout
  /// What is compared, and where what vanished lies; nil for one profile.
  let difference: Difference?
  /// What the script reads.
  let data: FlameGraphData

  /// Pixels left and right of the boxes.
  static let margin = 12

  /// Merges and lays out a column of a profile.
  public init(_ profile: Profile, column: Int = 0, options: Options = Options()) {
    self.options = options
    valueType = profile.valueTypes[column]
    let profile = profile.counting(column)
    paths = CallPaths(profile.rooted(at: options.roots), columns: [column])
    layout = FlameGraphLayout(
      paths, widths: paths.totalValues[0], minimumWidth: options.minimumWidth,
      pictureWidth: options.width - 2 * Self.margin, maximumBoxCount: options.maximumBoxCount)
    difference = nil
    if profile.threads.isEmpty {
      data = FlameGraphData(paths, of: profile, column: column, options: options)
    } else {
      let table = GroupTable(profile, by: .process, column: column)
      let hasProcesses = table.rows.count { $0.process != nil } > 1
      let roots: StackRoots = hasProcesses ? [.process, .thread] : .thread
      let profile = profile.rooted(at: options.roots.union(roots))
      data = FlameGraphData(
        CallPaths(profile, columns: [column]), of: profile, column: column, options: options)
    }
  }

  /// Merges and lays out two profiles: boxes are as wide as after, and colored by what changed.
  public init(_ comparison: Comparison, options: Options = Options()) {
    self.options = options
    valueType = comparison.profile.valueTypes[0]
    paths = CallPaths(comparison.profile, columns: [0, 1])
    let difference = Difference(comparison, paths, options: options)
    layout = FlameGraphLayout(
      paths, widths: paths.totalValues[0], minimumWidth: options.minimumWidth,
      pictureWidth: difference.widths.main, maximumBoxCount: options.maximumBoxCount)
    self.difference = difference
    data = FlameGraphData(
      paths, of: comparison.profile, column: 0, options: options, difference: difference)
  }

  /// Writes the SVG document, in pieces, as UTF-8 text.
  public func write(to output: inout some TextOutputStream) {
    FlameGraphWriter(self).write(to: &output)
  }
}
