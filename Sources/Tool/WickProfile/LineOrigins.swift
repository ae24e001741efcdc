/// How stacks come to a source line: its callers, where it was inlined, and its instructions.
///
/// Each stack with the line is counted once, by the occurrence nearest to its leaf, so that the
/// callers' values, and those of the chains, add up to the total of the line.
public struct LineOrigins: Sendable {
  /// The next frame towards the root.
  public struct Caller: Hashable, Sendable {
    /// Where the call is; nil where the line's function begins the stack.
    public var place: LineTable.Place?
    /// Whether the call was inlined, so that no call took place.
    public var isInlined: Bool
    /// Value counted in the line as called from here.
    public var value: Int64
  }

  /// The calls that were inlined around the line.
  public struct InlineChain: Hashable, Sendable {
    /// Where the line's function was inlined, where that function was, and so on, up to the one
    /// that was not; empty where the line's function itself was not.
    public var places: [LineTable.Place]
    /// Value counted in the line below these calls.
    public var value: Int64
  }

  /// An instruction of the line.
  public struct Instruction: Hashable, Sendable {
    /// Index into `Profile.modules`.
    public var module: Int
    /// Module-relative: where the instruction begins, if it has a self value; else a byte of the
    /// call.
    public var address: UInt64
    /// Value counted while the instruction itself was interrupted.
    public var selfValue: Int64
    /// Value counted in the instruction and in what it calls.
    public var totalValue: Int64
  }

  /// By descending value, then place.
  public let callers: [Caller]
  /// By descending value, then places.
  public let chains: [InlineChain]
  /// By module and address; none where the profile has no addresses.
  public let instructions: [Instruction]

  /// Gathers the origins of a line.
  ///
  /// - Parameters:
  ///   - profile: The profile.
  ///   - line: A line with a file.
  ///   - function: Looks at the frames of a function only.
  ///   - column: Index into `profile.valueTypes`.
  public init(
    _ profile: Profile, line: SourceLine, function: CallTree.Function? = nil, column: Int = 0
  ) {
    let isWanted = profile.frames.map { frame in
      SourceLine(frame) == line
        && (function == nil || LineTable.Place(frame, in: profile).function == function)
    }
    let values = Self.values(profile, column: column, isWanted: isWanted)
    var callers: [Caller: Int64] = [:]
    var chains: [[LineTable.Place]: Int64] = [:]
    let modules = Self.representatives(of: profile.modules)
    var instructions: [Instruction: (selfValue: Int64, totalValue: Int64)] = [:]
    for (node, value) in values {
      let caller = Self.caller(of: node, in: profile)
      callers[caller, default: 0] = callers[caller, default: 0].addingSaturating(value.total)
      let chain = Self.chain(of: node, in: profile)
      chains[chain, default: 0] = chains[chain, default: 0].addingSaturating(value.total)
      let frame = profile.frames[Int(profile.stacks.frames[node])]
      guard let module = frame.module, let address = frame.lookupAddress else { continue }
      let key = Instruction(
        module: modules[module], address: address, selfValue: 0, totalValue: 0)
      let known = instructions[key] ?? (0, 0)
      instructions[key] = (
        known.selfValue.addingSaturating(value.own), known.totalValue.addingSaturating(value.total)
      )
    }
    self.callers = callers.map { Caller(place: $0.place, isInlined: $0.isInlined, value: $1) }
      .sorted(by: Self.precedes)
    self.chains = chains.map { InlineChain(places: $0, value: $1) }.sorted { first, second in
      first.value != second.value
        ? first.value > second.value : first.places.lexicographicallyPrecedes(second.places)
    }
    self.instructions = instructions.map { key, value in
      Instruction(
        module: key.module, address: key.address, selfValue: value.selfValue,
        totalValue: value.totalValue)
    }.sorted { ($0.module, $0.address) < ($1.module, $1.address) }
  }

  /// The values of each occurrence of the line that is the nearest to the leaf of some stack.
  private static func values(
    _ profile: Profile, column: Int, isWanted: [Bool]
  ) -> [(node: Int, value: (own: Int64, total: Int64))] {
    let stacks = profile.stacks
    var nearest = [Int32](repeating: 0, count: stacks.count)
    for node in stacks.parents.indices.dropFirst() {
      nearest[node] =
        isWanted[Int(stacks.frames[node])] ? Int32(node) : nearest[Int(stacks.parents[node])]
    }
    var values: [Int: (own: Int64, total: Int64)] = [:]
    for (row, sample) in profile.samples.enumerated() where nearest[sample.stack] != 0 {
      let value = profile.columns[column][row]
      let node = Int(nearest[sample.stack])
      let known = values[node] ?? (0, 0)
      values[node] = (
        node == sample.stack ? known.own.addingSaturating(value) : known.own,
        known.total.addingSaturating(value)
      )
    }
    // The sums saturate, so the order of adding must not depend on a dictionary's.
    return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private static func caller(of node: Int, in profile: Profile) -> Caller {
    let frame = profile.frames[Int(profile.stacks.frames[node])]
    let parent = Int(profile.stacks.parents[node])
    guard parent != 0 else { return Caller(place: nil, isInlined: false, value: 0) }
    let caller = profile.frames[Int(profile.stacks.frames[parent])]
    return Caller(
      place: LineTable.Place(caller, in: profile), isInlined: frame.isInlined, value: 0)
  }

  private static func chain(of node: Int, in profile: Profile) -> [LineTable.Place] {
    var places: [LineTable.Place] = []
    var node = node
    while profile.frames[Int(profile.stacks.frames[node])].isInlined {
      node = Int(profile.stacks.parents[node])
      guard node != 0 else { break }
      places.append(LineTable.Place(profile.frames[Int(profile.stacks.frames[node])], in: profile))
    }
    return places
  }

  /// For each module the first that is the same file: several processes may have it mapped.
  private static func representatives(of modules: [Module]) -> [Int] {
    var first: [[UInt8]: [String: Int]] = [:]
    return modules.enumerated().map { index, module in
      if let known = first[module.buildID]?[module.path] { return known }
      first[module.buildID, default: [:]][module.path] = index
      return index
    }
  }

  private static func precedes(_ first: Caller, _ second: Caller) -> Bool {
    if first.value != second.value { return first.value > second.value }
    guard first.place != second.place else { return !first.isInlined && second.isInlined }
    guard let one = first.place else { return false }
    guard let other = second.place else { return true }
    return one < other
  }
}
