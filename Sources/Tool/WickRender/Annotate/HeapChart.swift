internal import WickProfile

/// Live bytes over time as a picture within a page: no script, colors by the page's style.
struct HeapChart {
  private static let size = (width: 1000, height: 190)
  /// The room within the axes.
  private static let plot = (left: 84, right: 988, top: 12, bottom: 160)
  private static let labelDistance = 16

  private let series: HeapSeries
  /// Time and bytes at the picture's right and upper ends; above 0.
  private let limits: (time: UInt64, bytes: Int64)
  private let isSampled: Bool

  /// Draws what was live; nil with fewer than two points in time.
  init?(_ origin: Origin) {
    series = HeapSeries(origin)
    isSampled = origin.processes.contains { $0.heap?.isSampled == true }
    guard series.points.count > 1, let last = series.points.last, let highest = series.highest,
      highest.bytes > 0, last.nanoseconds > 0
    else { return nil }
    limits = (last.nanoseconds, highest.bytes)
  }

  /// Writes a heading and the picture.
  func write(to output: inout some TextOutputStream) {
    let (width, height) = Self.size
    output.write(
      """
      <h2>Live bytes over time</h2>
      <p class="facts">\(summary)</p>
      <svg class="heap" viewBox="0 0 \(width) \(height)" role="img" \
      aria-labelledby="heap-title heap-text">
      <title id="heap-title">Live bytes over time</title>
      <desc id="heap-text">\(summary)</desc>

      """)
    writeAxes(to: &output)
    let path = steps
    output.write(
      """
      <path class="area" d="\(path)V\(Self.plot.bottom)H\(Self.plot.left)Z"/>
      <path class="line" d="\(path)"/>
      </svg>

      """)
  }

  private var summary: String {
    guard let first = series.points.first, let last = series.points.last,
      let highest = series.highest
    else { return "" }
    func text(_ point: HeapHistory.Point) -> String {
      let bytes = max(point.bytes, 0)
      return "\(ValueScale(unit: "bytes", largest: bytes).text(bytes)) in "
        + "\(ValueText.grouped(max(point.objects, 0))) objects after "
        + ValueScale.time(point.nanoseconds)
    }
    return "\(text(first)); most \(text(highest)); \(text(last))"
      + (isSampled ? "; estimated from samples" : "")
  }

  private func writeAxes(to output: inout some TextOutputStream) {
    let (left, right, bottom) = (Self.plot.left, Self.plot.right, Self.plot.bottom)
    for (bytes, label) in byteMarks {
      let y = y(bytes)
      output.write(
        """
        <path class="grid" d="M\(left) \(y)H\(right)"/>\
        <text x="\(left - 8)" y="\(y + 4)" text-anchor="end">\(label)</text>

        """)
    }
    for (time, label) in timeMarks {
      let x = x(time)
      output.write(
        """
        <path class="grid" d="M\(x) \(bottom)v4"/>\
        <text x="\(x)" y="\(bottom + Self.labelDistance + 4)" text-anchor="middle">\(label)</text>

        """)
    }
  }

  /// The series as steps, with the highest value of each pixel.
  private var steps: String {
    var columns: [(x: Int, highest: Int64, last: Int64)] = []
    for point in series.points {
      let x = x(point.nanoseconds)
      let bytes = max(point.bytes, 0)
      if let last = columns.last, last.x == x {
        columns[columns.count - 1] = (x, max(last.highest, bytes), bytes)
      } else {
        columns.append((x, bytes, bytes))
      }
    }
    var path = "M\(columns[0].x) \(Self.plot.bottom)"
    for column in columns {
      path += "H\(column.x)V\(y(column.highest))"
      if column.last != column.highest { path += "V\(y(column.last))" }
    }
    return path
  }

  private func x(_ time: UInt64) -> Int {
    let width = Self.plot.right - Self.plot.left
    return Self.plot.left + Int(Int128(time) * Int128(width) / Int128(limits.time))
  }

  private func y(_ bytes: Int64) -> Int {
    let height = Self.plot.bottom - Self.plot.top
    return Self.plot.bottom - Int(Int128(bytes) * Int128(height) / Int128(limits.bytes))
  }

  /// Round numbers of bytes up to the highest, at most five.
  private var byteMarks: [(Int64, String)] {
    let units: [(Int64, String)] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")]
    let (size, name) = units.first { limits.bytes >= $0.0 } ?? (1, "B")
    let step = Self.step(for: limits.bytes / size, marks: 4)
    return stride(from: 0, through: limits.bytes / size, by: Int64.Stride(step)).map {
      ($0 * size, "\($0) \(name)")
    }
  }

  /// Round times, at most nine.
  private var timeMarks: [(UInt64, String)] {
    let milliseconds = Int64(clamping: limits.time / 1_000_000)
    let (size, name): (Int64, String) = milliseconds >= 8000 ? (1000, "s") : (1, "ms")
    let step = Self.step(for: milliseconds / size, marks: 8)
    return stride(from: 0, through: milliseconds / size, by: Int64.Stride(step)).map {
      (UInt64($0 * size) * 1_000_000, "\($0) \(name)")
    }
  }

  /// The smallest of 1, 2, 5, 10, 20 … that divides a length into at most so many parts.
  private static func step(for length: Int64, marks: Int64) -> Int64 {
    var (step, power) = (Int64(1), Int64(1))
    while length / step > marks {
      let digit = step / power
      if digit == 5 { power *= 10 }
      step = digit == 1 ? 2 * power : digit == 2 ? 5 * power : power
    }
    return step
  }
}
