/// Collects the rows of line programs: which source line an address belongs to.
///
/// Addresses are distances from the module's first code address, so that they fit into 32 bits.
struct LineRows {
  /// A place in the code from which on a line holds.
  struct Row {
    var place: UInt32
    /// Number of a text of `files`.
    var file: UInt32
    var line: UInt32
  }

  private struct Sequence {
    var rows: Range<Int>
    /// Place behind the last row's code.
    var end: UInt32
  }

  /// Paths of source files.
  var files: TextPool
  private var rows: [Row] = []
  private var sequences: [Sequence] = []
  /// Where the sequence that is being read begins in `rows`.
  private var start = 0
  private var isAscending = true
  private var isOutside = false
  private let code: CodePlaces

  /// Creates a collection of no rows that expects some.
  init(code: CodePlaces, capacity: Int, byteLimit: Int) {
    self.code = code
    files = TextPool(byteLimit: byteLimit)
    rows.reserveCapacity(capacity)
  }

  mutating func beginSequence() {
    start = rows.count
    isAscending = true
    isOutside = false
  }

  /// Forgets the sequence that is being read.
  mutating func dropSequence() {
    rows.removeLast(rows.count - start)
    isOutside = true
  }

  @inline(__always)
  mutating func append(address: UInt64, file: UInt32, line: UInt32) {
    guard !isOutside else { return }
    guard let place = code.place(of: address) else { return dropSequence() }
    if rows.count > start {
      let last = rows[rows.count - 1]
      if last.place == place {
        // Of rows for one address the last holds.
        rows[rows.count - 1].file = file
        rows[rows.count - 1].line = line
        return
      }
      if last.place > place { isAscending = false }
    } else if !code.contains(address) {
      // Dropped by the linker, which puts 0 or the like in place of the address.
      return dropSequence()
    }
    rows.append(Row(place: place, file: file, line: line))
  }

  mutating func endSequence(address: UInt64) {
    guard rows.count > start, let end = code.place(of: address) else { return dropSequence() }
    if !isAscending {
      // Programs must ascend (section 6.2.5); sorting is stable in effect by the row's number.
      let sorted = rows[start...].enumerated().sorted {
        ($0.element.place, $0.offset) < ($1.element.place, $1.offset)
      }
      rows.replaceSubrange(start..., with: sorted.map(\.element))
    }
    guard rows[start].place < end else { return dropSequence() }
    sequences.append(Sequence(rows: start..<rows.count, end: end))
  }

  /// Puts all rows together.
  ///
  /// - Parameter texts: Gets the files; the rows have the numbers there.
  /// - Returns: Rows in ascending order, each of which holds up to the next; line and file 0 stand
  ///   for no code or no line.
  func flattened(texts: inout TextPool) -> [Row] {
    let files = texts.ids(of: self.files)
    let order = sequences.indices.map { ($0, rows[sequences[$0].rows.lowerBound].place) }
      .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
    var result: [Row] = []
    result.reserveCapacity(rows.count + sequences.count)
    /// Places below are taken.
    var position: UInt32 = 0
    for (index, _) in order {
      let sequence = sequences[index]
      // Of overlapping sequences the first stays.
      guard sequence.end > position else { continue }
      for var row in rows[sequence.rows] where row.place < sequence.end {
        row.file = files[Int(row.file)]
        append(row, from: position, to: &result)
      }
      position = sequence.end
      append(Row(place: position, file: 0, line: 0), from: position, to: &result)
    }
    return result
  }

  @inline(__always)
  private func append(_ row: Row, from position: UInt32, to result: inout [Row]) {
    var row = row
    // A row that begins before and reaches here.
    row.place = max(row.place, position)
    if let last = result.last {
      if last.place == row.place {
        result.removeLast()
        // What the new row says may be what holds before.
        if let before = result.last, before.file == row.file, before.line == row.line { return }
      } else if last.file == row.file, last.line == row.line {
        return
      }
    }
    result.append(row)
  }
}
