internal import WickProfile

/// A column of a profile by stacks of cleaned names: what the lines are written from.
struct FoldedTree {
  /// Cleaned names, each once, as bytes.
  private(set) var names: [[UInt8]] = []
  /// Stacks whose frames are indices into `names`.
  private(set) var stacks = StackTree()
  /// Value of each stack itself.
  private(set) var values: [Int64] = []
  private var nameIDs: [[UInt8]: Int] = [:]

  init(_ profile: Profile, column: Int, marksInlined: Bool) {
    let names = profile.frames.map { frame in
      intern(profile.name(of: frame) + (marksInlined && frame.isInlined ? "_[i]" : ""))
    }
    var nodes = [Int](repeating: 0, count: profile.stacks.count)
    for node in profile.stacks.parents.indices.dropFirst() {
      let parent = nodes[Int(profile.stacks.parents[node])]
      nodes[node] = stacks.node(parent: parent, frame: names[Int(profile.stacks.frames[node])])
    }
    values = [Int64](repeating: 0, count: stacks.count)
    for (row, sample) in profile.samples.enumerated() {
      let node = nodes[sample.stack]
      values[node] = values[node].addingSaturating(profile.columns[column][row])
    }
  }

  private mutating func intern(_ name: String) -> Int {
    let cleaned = Self.cleaned(name)
    if let known = nameIDs[cleaned] { return known }
    names.append(cleaned)
    nameIDs[cleaned] = names.count - 1
    return names.count - 1
  }

  /// The name without what would end a frame or a line: `;` becomes `:`, a control character or
  /// line separator `_`.
  static func cleaned(_ name: String) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(name.utf8.count)
    for scalar in name.unicodeScalars {
      switch scalar.value {
      case 0x3b: bytes.append(UInt8(ascii: ":"))
      case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029: bytes.append(UInt8(ascii: "_"))
      default: bytes.append(contentsOf: scalar.utf8)
      }
    }
    return bytes
  }
}
