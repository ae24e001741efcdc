import WickProfile

/// What a differential flame graph shows of two profiles beyond one's boxes.
///
/// `flamegraph-draw.js` computes the same colors; what decides them is the difference of a box's
/// total, as a share of the larger of the two values, if it is beyond the noise.
struct Difference: Sendable {
  private let comparison: Comparison
  private let paths: CallPaths
  /// Call paths that were there before and are no more, as wide as they were.
  let gone: FlameGraphLayout
  /// Pixels of the picture and of the strip of what vanished, in one scale.
  let widths: (main: Int, gone: Int)

  /// Between the picture and the strip, in pixels.
  private static let gap = 8
  private static let grey = FrameColor(red: 0xdc, green: 0xd8, blue: 0xd2)
  /// Ends of the scale for more: a little, and all.
  private static let more = (FrameColor(red: 0xfa, green: 0xe3, blue: 0xc8), hot)
  /// Ends of the scale for less.
  private static let less = (FrameColor(red: 0xd8, green: 0xe6, blue: 0xf6), goneColor)
  /// Orange, which all kinds of color vision tell from blue.
  private static let hot = FrameColor(red: 0xf0, green: 0x8a, blue: 0x3c)
  static let goneColor = FrameColor(red: 0x78, green: 0xae, blue: 0xe6)

  init(_ comparison: Comparison, _ paths: CallPaths, options: FlameGraph.Options) {
    self.comparison = comparison
    self.paths = paths
    let values = Self.gone(paths)
    let whole = max(options.width - 2 * FlameGraph.margin, 1)
    let (after, lost) = (Double(max(paths.totalValues[0][0], 0)), Double(values[0]))
    if lost > 0 {
      let room = Double(max(whole - Self.gap, 1))
      let main = after > 0 ? (room * after / (after + lost)).rounded() : 0
      widths = (Int(main), Int(room - main))
    } else {
      widths = (whole, 0)
    }
    gone = FlameGraphLayout(
      paths, widths: values, minimumWidth: options.minimumWidth, pictureWidth: widths.gone,
      maximumBoxCount: options.maximumBoxCount)
  }

  /// For each node what it was before, of the call paths that are no more.
  private static func gone(_ paths: CallPaths) -> [Int64] {
    var values = [Int64](repeating: 0, count: paths.count)
    for node in values.indices where paths.totalValues[0][node] <= 0 {
      values[node] = max(paths.selfValues[1][node], 0)
    }
    for node in stride(from: values.count - 1, to: 0, by: -1) {
      let caller = paths.caller(of: node)
      values[caller] = values[caller].addingSaturating(values[node])
    }
    return values
  }

  private func values(of node: Int) -> (before: Int64, after: Int64) {
    (paths.totalValues[1][node], paths.totalValues[0][node])
  }

  /// Whether a call path was not there before, and that is no chance.
  func isNew(_ node: Int) -> Bool {
    let values = values(of: node)
    return node != 0 && values.before <= 0 && !comparison.isNoise(values)
  }

  func color(of node: Int) -> FrameColor {
    let values = values(of: node)
    guard !comparison.isNoise(values) else { return Self.grey }
    let difference = Double(values.after) - Double(values.before)
    let share = abs(difference) / max(Double(values.before), Double(values.after), 1)
    let (from, to) = difference > 0 ? Self.more : Self.less
    func mix(_ one: Int, _ other: Int) -> Int {
      Int((Double(one) + Double(other - one) * min(share, 1)).rounded())
    }
    return FrameColor(
      red: mix(from.red, to.red), green: mix(from.green, to.green), blue: mix(from.blue, to.blue))
  }

  /// What a box's hover text says of the change.
  func text(of node: Int) -> String {
    let values = values(of: node)
    let own = (before: paths.selfValues[1][node], after: paths.selfValues[0][node])
    var text = "before \(ValueText.grouped(values.before)), \(Self.signed(values))"
    if values.before <= 0 { text += " (new)" }
    text += "; self before \(ValueText.grouped(own.before)), \(Self.signed(own))"
    return comparison.isNoise(values) ? text + "; within noise" : text
  }

  private static func signed(_ values: (before: Int64, after: Int64)) -> String {
    let difference = values.after.addingSaturating(0 &- values.before)
    return (difference > 0 ? "+" : "") + ValueText.grouped(difference)
  }

  static let legend: [(label: String, color: FrameColor)] = [
    ("more", hot), ("less", goneColor), ("within noise", grey),
  ]

  /// What the colors mean, and how the two were made comparable.
  func note(_ values: ValueText) -> String {
    let before = values.text(comparison.profile.total(of: 1))
    let scaled =
      comparison.scale == 1
      ? "" : " (\(ValueText.grouped(comparison.unscaledTotalBefore)) before scaling)"
    return """
      Before: \(before)\(scaled). After: \(values.text(comparison.profile.total(of: 0))). Grey: a \
      difference of at most 3 standard deviations of the counts. "+": new. Right: what is no more.
      """
  }

  /// What the script needs to do the same.
  func write(to json: inout JSONWriter) {
    let weights = comparison.variancePerValue
    json.object("difference") { json in
      json.number("deviations", "\(Comparison.deviations)")
      json.number("varianceAfter", "\(weights.after)")
      json.number("varianceBefore", "\(weights.before)")
      json.string("grey", Self.grey.hex)
      for (key, ends) in [("more", Self.more), ("less", Self.less)] {
        json.array(key) { json in
          for color in [ends.0, ends.1] {
            json.integer(nil, color.red)
            json.integer(nil, color.green)
            json.integer(nil, color.blue)
          }
        }
      }
    }
  }
}
