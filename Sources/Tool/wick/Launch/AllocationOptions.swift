/// What of a program's memory is recorded: the options of `record` and `attach`, as the agent takes them.
struct AllocationOptions {
  /// Mean number of bytes between two allocations that are followed; 1: all of them; 0: none.
  var interval: UInt64 = 0
  /// Whether retains and releases of Swift objects are counted.
  var countsReferences = false
  /// Whether mmap and munmap count as allocations.
  var followsMappings = false

  static let followed = Option(
    name: "--alloc", value: "SIZE",
    help: "Follows allocations: one in SIZE bytes, such as 64k (512k), or all.",
    isValueOptional: true)
  static let references = Option(
    name: "--arc", help: "Counts retains and releases of Swift objects.")
  static let mappings = Option(
    name: "--mmap", help: "With --alloc: mappings of files and memory count, too.")

  /// As the agent's own: WICK_ALLOCATION_DEFAULT_BYTES and WICK_ALLOCATION_MAXIMUM_BYTES.
  private static let usualInterval: UInt64 = 512 << 10
  private static let longestInterval: UInt64 = 1 << 40

  /// None.
  init() {}

  /// Reads them from a command line.
  init(_ arguments: Arguments) throws {
    countsReferences = arguments.has("--arc")
    followsMappings = arguments.has("--mmap")
    guard arguments.has("--alloc") else {
      guard !followsMappings else {
        throw arguments.usage(
          "'--mmap' counts mappings among the allocations; give '--alloc', too")
      }
      return
    }
    guard let text = arguments.value("--alloc") else {
      interval = Self.usualInterval
      return
    }
    guard let bytes = Self.interval(text) else {
      throw arguments.usage("'--alloc' must be \(Self.values), not '\(text)'")
    }
    interval = bytes
  }

  /// The interval that a running recording is switched to.
  static func newInterval(_ arguments: Arguments) throws -> UInt64 {
    guard let text = arguments.value("--alloc") else {
      throw arguments.usage("say what to follow from now on: '--alloc=64k', 'all' or 'off'")
    }
    guard let bytes = text == "off" ? 0 : interval(text) else {
      throw arguments.usage("'--alloc' must be \(values), or 'off', not '\(text)'")
    }
    return bytes
  }

  private static let values = "a number of bytes up to 1024g, such as 64k or 1m, or 'all'"

  /// A number of bytes, which may end in k, m or g for KiB, MiB or GiB, or "all"; nil if it is none.
  private static func interval(_ text: String) -> UInt64? {
    if text == "all" { return 1 }
    let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let shifts = ["": 0, "k": 10, "m": 20, "g": 30]
    guard let number = UInt64(Substring(digits)),
      let shift = shifts[text.dropFirst(digits.count).lowercased()],
      number > 0, number <= longestInterval >> shift
    else { return nil }
    return number << shift
  }

  /// An interval as `--alloc` takes it: "all", "512k", "1m", "1000".
  static func size(_ interval: UInt64) -> String {
    if interval == 1 { return "all" }
    let (shift, suffix) =
      [(30, "g"), (20, "m"), (10, "k")].first { interval.isMultiple(of: 1 << UInt64($0.0)) }
      ?? (0, "")
    return "\(interval >> UInt64(shift))\(suffix)"
  }

  /// What an interval means, for people.
  static func text(of interval: UInt64) -> String {
    switch interval {
    case 0: "no allocation is followed"
    case 1: "every allocation is followed"
    default: "one allocation in \(Summary.grouped(Int64(clamping: interval))) bytes is followed"
    }
  }

  /// The library to preload: allocations are to be seen from the first one on.
  var library: AgentLibrary { interval > 0 ? .interposing : .agent }

  /// For the variable WICK, behind other parts.
  var variablePart: String {
    var text = interval > 0 ? ",alloc=\(interval)" : ""
    if countsReferences { text += ",arc=on" }
    if followsMappings { text += ",mmap=on" }
    return text
  }

  /// For the request to record, behind other words.
  var requestWords: String {
    " alloc=\(interval) arc=\(countsReferences ? 1 : 0) mmap=\(followsMappings ? 1 : 0)"
  }

  /// Says what of a program's allocations cannot be seen, if any are to be.
  ///
  /// - Parameters:
  ///   - image: The program's file.
  ///   - name: What messages call it.
  func warn(of image: String, name: String) {
    guard interval > 0, let allocator = OwnAllocator(of: image) else { return }
    Console.error("\(name) \(allocator.explanation)")
  }
}
