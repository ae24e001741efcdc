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

  init(_ profile: Profile, column: Int, threads: Bool, marksInlined: Bool = false) {
    let names = profile.frames.map { frame in
      intern(profile.name(of: frame) + (marksInlined && frame.isInlined ? "_[i]" : ""))
    }
    let roots = profile.threads.map { root(of: $0, in: profile, threads: threads) }
    var placed = PlacedStacks()
    for (row, sample) in profile.samples.enumerated() {
      let value = profile.columns[column][row]
      guard value != 0 else { continue }
      let root = (sample.thread.map { roots[$0] } ?? []).reduce(0) {
        stacks.node(parent: $0, frame: $1)
      }
      let node = placed.node(of: sample.stack, in: profile.stacks, below: root) {
        stacks.node(parent: $0, frame: names[$1])
      }
      while values.count < stacks.count { values.append(0) }
      values[node] = values[node].addingSaturating(value)
    }
    while values.count < stacks.count { values.append(0) }
  }

  /// The frames above a thread's stacks.
  private mutating func root(
    of thread: Profile.Thread, in profile: Profile, threads: Bool
  ) -> [Int] {
    var root: [Int] = []
    if let process = profile.processName(above: thread) { root.append(intern(process)) }
    if threads { root.append(intern("\(thread.name)-\(thread.tid)")) }
    return root
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
