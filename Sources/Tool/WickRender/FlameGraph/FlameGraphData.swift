import WickProfile

/// The whole tree as the script reads it: bytes that are deflated and written as base64.
///
/// ```
/// header length (u32), header (JSON, UTF-8)
/// then columns, each as its length (u32) and its bytes:
///   for each function   module, owner, file (varints; module and file count from 1, 0 is none),
///                       line (varint), color (3 bytes)
///   for each node but the root, in depth-first order
///                       levels up from the node before to the caller (varints; 0: it is called
///                       by the node before)
///                       function (varints)
///   for each column of values
///                       self value of each node, the root first (varints)
/// ```
/// Integers are little-endian, varints LEB128 without sign. Functions stand in the order in which
/// siblings are drawn.
struct FlameGraphData {
  private let paths: CallPaths
  private let functions: FunctionLooks
  private let unit: String
  private let roots: StackRoots
  private let difference: Difference?

  /// Packs `paths`, which were merged from a column of `profile`.
  init(
    _ paths: CallPaths, of profile: Profile, column: Int, options: FlameGraph.Options,
    difference: Difference? = nil
  ) {
    self.difference = difference
    self.paths = paths
    roots = options.roots
    functions = FunctionLooks(paths, of: profile, column: column, palette: options.palette)
    unit = ValueText(profile.valueTypes[column], countName: options.countName).unit
  }

  /// What the script calls kinds of frames that are no code.
  private static let rootKinds: [(name: String, owner: CodeOwner, root: StackRoots)] = [
    ("processes", .process, .process), ("threads", .thread, .thread),
  ]

  private var header: String {
    var json = JSONWriter(isCompact: true)
    json.object { json in
      json.integer("version", 1)
      json.string("unit", SVGText.visible(unit))
      // For each kind of frame that is no code its owner, and whether it is shown at first.
      json.object("roots") { json in
        for (kind, owner, root) in Self.rootKinds {
          json.object(kind) { json in
            json.integer("owner", owner.rawValue)
            json.bool("isShown", roots.contains(root))
          }
        }
      }
      json.integer("nodes", paths.count)
      if let difference { difference.write(to: &json) }
      json.array("columns") { json in for type in paths.valueTypes { json.string(nil, type.name) } }
      for (key, texts) in [("modules", functions.modules), ("files", functions.files)] {
        json.array(key) { json in for text in texts { json.string(nil, SVGText.visible(text)) } }
      }
      json.array("names") { json in
        for function in paths.functions {
          json.string(nil, SVGText.visible(SVGText.withoutAnnotation(function.name)))
        }
      }
    }
    return json.take()
  }

  /// All of it, not yet compressed.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    let header = Array(header.utf8)
    let columns = [functionColumns] + nodeColumns
    bytes.reserveCapacity(columns.reduce(header.count + 4) { $0 + $1.count + 4 })
    append(header, to: &bytes)
    for column in columns { append(column, to: &bytes) }
    return bytes
  }

  private var functionColumns: [UInt8] {
    var column = VarintColumn()
    for function in functions.looks {
      column.append(UInt64(function.module))
      column.append(UInt64(function.owner.rawValue))
      column.append(UInt64(function.file))
      column.append(UInt64(function.line))
      for part in [function.color.red, function.color.green, function.color.blue] {
        column.append(byte: UInt8(truncatingIfNeeded: part))
      }
    }
    return column.bytes
  }

  /// The columns of nodes and of values, from one walk through the tree.
  private var nodeColumns: [[UInt8]] {
    var ups = VarintColumn(capacity: paths.count)
    var called = VarintColumn(capacity: paths.count * 2)
    var values = paths.selfValues.map { _ in VarintColumn(capacity: paths.count * 5 / 4) }
    var levels = 0
    var node: Int? = 0
    while let current = node {
      if current != 0 {
        ups.append(UInt64(1 - levels))
        called.append(UInt64(paths.function(of: current)))
      }
      for column in values.indices {
        values[column].append(UInt64(max(paths.selfValues[column][current], 0)))
      }
      node = paths.next(after: current, levels: &levels)
    }
    return [ups.bytes, called.bytes] + values.map(\.bytes)
  }

  private func append(_ column: [UInt8], to bytes: inout [UInt8]) {
    let length = UInt32(truncatingIfNeeded: column.count)
    for shift in stride(from: 0, to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: length >> UInt32(shift)))
    }
    bytes.append(contentsOf: column)
  }
}
