/// Two profiles as one: each call path with its value before and after.
public struct Comparison: Sendable {
  /// How the profile before is scaled, so that the two can be compared.
  public enum Normalization: Hashable, Sendable {
    /// Values as they are.
    case none
    /// To the same total: shares are compared.
    case total
    /// To the same number of requests, or whatever else the two have worked off.
    case work(before: Double, after: Double)
  }

  /// Rows of both, merged by function; column 0 is after, column 1 before, scaled.
  public let profile: Profile
  /// What the values before were multiplied by.
  public let scale: Double
  /// Sum before, as it was.
  public let unscaledTotalBefore: Int64
  /// Weight of a sample of either, squared sum by sum: the variance of a value is this times it.
  private let weights: (after: Double, before: Double)

  /// A difference within so many standard deviations is taken for chance.
  public static let deviations = 3.0

  /// Merges two profiles.
  ///
  /// - Parameters:
  ///   - before: What to compare with.
  ///   - after: What is looked at.
  ///   - columns: Indices into the value types of either.
  ///   - normalization: How `before` is scaled.
  public init(
    before: Profile, after: Profile, columns: (before: Int, after: Int) = (0, 0),
    normalization: Normalization = .none
  ) {
    let (old, new) = (before.total(of: columns.before), after.total(of: columns.after))
    unscaledTotalBefore = old
    switch normalization {
    case .none: scale = 1
    case .total: scale = old > 0 ? Double(new) / Double(old) : 1
    case .work(let before, let after): scale = before > 0 ? after / before : 1
    }
    let type = after.valueTypes[columns.after]
    var merged = Profile(valueTypes: [type, ValueType(name: "before", unit: type.unit)])
    merged.origin.processes = after.origin.processes
    Self.add(after, column: columns.after, to: &merged) { [$0, 0] }
    // Sums are rounded, not values: so the whole is right to the unit.
    var (sum, scaledSum) = (Int64(0), Int64(0))
    let scale = self.scale
    Self.add(before, column: columns.before, to: &merged) { value in
      guard scale != 1 else { return [0, value] }
      sum = sum.addingSaturating(value)
      let next = Self.scaled(sum, by: scale)
      defer { scaledSum = next }
      return [0, next.addingSaturating(0 &- scaledSum)]
    }
    profile = merged
    weights = (
      Self.weight(of: after, column: columns.after),
      Self.weight(of: before, column: columns.before) * scale
    )
  }

  /// Takes a profile that has both columns, as folded text for differential flame graphs does.
  ///
  /// - Parameters:
  ///   - profile: Its first column is after, its second before.
  ///   - normalization: How the values before are scaled.
  public init(_ profile: Profile, normalization: Normalization = .none) {
    var sides = [Profile(valueTypes: [.samples]), Profile(valueTypes: [.samples])]
    for side in 0..<2 { Self.add(profile, column: side, to: &sides[side]) { [$0] } }
    self.init(before: sides[1], after: sides[0], normalization: normalization)
  }

  /// The difference up to which two values may be the same, but for chance.
  ///
  /// Samples come by chance, so a count varies by its square root; a weight of many samples varies
  /// as they do together. Where every allocation was followed nothing is chance.
  public func noise(before: Int64, after: Int64) -> Double {
    let variance = Double(max(after, 0)) * weights.after + Double(max(before, 0)) * weights.before
    return Self.deviations * variance.squareRoot()
  }

  /// Whether the difference of two values may be chance.
  public func isNoise(_ values: (before: Int64, after: Int64)) -> Bool {
    let difference = Double(values.after) - Double(values.before)
    return abs(difference) <= noise(before: values.before, after: values.after)
  }

  /// What `noise` multiplies values by.
  public var variancePerValue: (after: Double, before: Double) { weights }

  private static func add(
    _ source: Profile, column: Int, to merged: inout Profile, values: (Int64) -> [Int64]
  ) {
    // Rows of samples count nothing in columns of allocations, and the other way round.
    let source = source.counting(column)
    var modules: [Substring: Int] = [:]
    for (index, module) in merged.modules.enumerated() { modules[module.name] = index }
    let frames = source.frames.map { frame in
      var frame = frame
      frame.function = source.name(of: frame)
      frame.address = nil
      frame.module = frame.module.map { index in
        let module = source.modules[index]
        if let known = modules[module.name] { return known }
        merged.modules.append(module)
        modules[module.name] = merged.modules.count - 1
        return merged.modules.count - 1
      }
      return merged.intern(frame)
    }
    var nodes = [Int](repeating: 0, count: source.stacks.count)
    for node in source.stacks.parents.indices.dropFirst() {
      nodes[node] = merged.stack(
        parent: nodes[Int(source.stacks.parents[node])],
        frame: frames[Int(source.stacks.frames[node])])
    }
    for (row, sample) in source.samples.enumerated() {
      merged.add(
        Profile.Sample(stack: nodes[sample.stack]), values: values(source.columns[column][row]))
    }
  }

  private static func scaled(_ value: Int64, by scale: Double) -> Int64 {
    let product = (Double(value) * scale).rounded()
    guard product.isFinite, product > -9.2e18 else { return 0 }
    return product < 9.2e18 ? Int64(product) : .max
  }

  /// The mean weight of a sample by weight.
  ///
  /// In text, where a line stands for many, 1. Of allocations what a followed one stands for, less what
  /// was seen: 0 where all were.
  private static func weight(of profile: Profile, column: Int) -> Double {
    if profile.valueTypes[column].isOfMemory {
      guard let columns = profile.samplingColumns(of: column) else { return 0 }
      let objects = Double(profile.total(of: columns.objects))
      let whole = columns.base.map { Double(profile.total(of: $0)) } ?? objects
      let share = Double(profile.total(of: columns.followed)) / max(whole, 1)
      let followed = max(objects * share, 1)
      return Double(profile.total(of: column)) / followed * max(1 - share, 0)
    }
    guard !profile.origin.processes.isEmpty else { return 1 }
    var (sum, squares) = (0.0, 0.0)
    for value in profile.columns[column] {
      sum += Double(value)
      squares += Double(value) * Double(value)
    }
    return sum > 0 ? squares / sum : 1
  }
}

extension Comparison {
  /// A function in both profiles.
  public struct Row: Sendable {
    /// The function.
    public var function: CallTree.Function
    /// Values counted while the function itself ran.
    public var selfValues: (before: Int64, after: Int64)
    /// Values counted while the function was anywhere on the stack, once per stack.
    public var totalValues: (before: Int64, after: Int64)

    /// After minus before.
    public var selfDifference: Int64 { selfValues.after.addingSaturating(0 &- selfValues.before) }
    /// After minus before.
    public var totalDifference: Int64 {
      totalValues.after.addingSaturating(0 &- totalValues.before)
    }
  }

  /// All functions, those first whose own value changed most.
  public var functions: [Row] {
    let after = FunctionTable(CallTree(profile, column: 0))
    let before = FunctionTable(CallTree(profile, column: 1))
    var old: [CallTree.Function: FunctionTable.Row] = [:]
    for row in before.rows { old[row.function] = row }
    let rows = after.rows.map { new in
      let old = old[new.function]
      return Row(
        function: new.function, selfValues: (old?.selfValue ?? 0, new.selfValue),
        totalValues: (old?.totalValue ?? 0, new.totalValue))
    }
    return rows.sorted { first, second in
      let (one, other) = (first.selfDifference.magnitude, second.selfDifference.magnitude)
      if one != other { return one > other }
      let (total, otherTotal) = (first.totalDifference.magnitude, second.totalDifference.magnitude)
      if total != otherTotal { return total > otherTotal }
      return (first.function.name, first.function.module)
        < (second.function.name, second.function.module)
    }
  }
}
