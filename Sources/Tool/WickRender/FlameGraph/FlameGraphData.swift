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
  private let difference: Difference?

  /// Packs `paths`, which were merged from a column of `profile`.
  init(
    _ paths: CallPaths, of profile: Profile, column: Int, options: FlameGraph.Options,
    difference: Difference? = nil
  ) {
    self.difference = difference
    self.paths = paths
    functions = FunctionLooks(paths, of: profile, column: column, palette: options.palette)
    unit = ValueText(profile.valueTypes[column], countName: options.countName).unit
  }

  private var header: String {
    var json = JSONWriter(isCompact: true)
    json.object { json in
      json.integer("version", 1)
      json.string("unit", SVGText.visible(unit))
      json.integer("threadOwner", CodeOwner.thread.rawValue)
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
    bytes.reserveCapacity(paths.count * 5 + header.count + functions.looks.count * 16)
    append(header, to: &bytes)
    append(functionColumns, to: &bytes)
    appendNodes(to: &bytes)
    for values in paths.selfValues { append(Self.values(values, of: paths), to: &bytes) }
    return bytes
  }

  private var functionColumns: [UInt8] {
    var column: [UInt8] = []
    for function in functions.looks {
      Self.append(UInt64(function.module), to: &column)
      Self.append(UInt64(function.owner.rawValue), to: &column)
      Self.append(UInt64(function.file), to: &column)
      Self.append(UInt64(function.line), to: &column)
      column += [function.color.red, function.color.green, function.color.blue].map {
        UInt8(truncatingIfNeeded: $0)
      }
    }
    return column
  }

  private func appendNodes(to bytes: inout [UInt8]) {
    var ups: [UInt8] = []
    var called: [UInt8] = []
    ups.reserveCapacity(paths.count)
    called.reserveCapacity(paths.count * 2)
    var levels = 0
    var node = paths.next(after: 0, levels: &levels)
    while let current = node {
      Self.append(UInt64(1 - levels), to: &ups)
      Self.append(UInt64(paths.function(of: current)), to: &called)
      node = paths.next(after: current, levels: &levels)
    }
    append(ups, to: &bytes)
    append(called, to: &bytes)
  }

  private static func values(_ values: [Int64], of paths: CallPaths) -> [UInt8] {
    var column: [UInt8] = []
    column.reserveCapacity(values.count + values.count / 4)
    var levels = 0
    var node: Int? = 0
    while let current = node {
      append(UInt64(max(values[current], 0)), to: &column)
      node = paths.next(after: current, levels: &levels)
    }
    return column
  }

  private func append(_ column: [UInt8], to bytes: inout [UInt8]) {
    let length = UInt32(truncatingIfNeeded: column.count)
    for shift in stride(from: 0, to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: length >> UInt32(shift)))
    }
    bytes.append(contentsOf: column)
  }

  @inline(__always)
  private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
}
