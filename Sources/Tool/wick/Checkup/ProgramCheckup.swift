import WickRecording
import WickSymbols

/// What of a program decides whether it can be recorded, and how well its stacks read.
struct ProgramCheckup {
  /// What was looked at, as it was named.
  var program: String
  var findings: [Finding]
  /// Why it cannot be recorded; nil if it can.
  var obstacle: Failure?

  /// Looks at a program without running it.
  init(of program: String) throws {
    self.program = program
    do {
      let target = try Target.find(program)
      let interpreter = target.image == target.path ? "" : ", by its interpreter \(target.image)"
      findings = [.good("record", "yes\(interpreter)")]
      guard let file = try? MappedFile(path: target.image), let facts = ProgramFacts(file.bytes)
      else { return }
      findings += Self.findings(from: facts)
      findings.append(Self.allocations(in: target.image))
    } catch let failure as Failure {
      findings = [.bad("record", "no: \(failure.line ?? "")")]
      obstacle = failure
    }
  }

  /// Whether the agent stands before the functions that the program allocates with.
  private static func allocations(in image: String) -> Finding {
    guard let allocator = OwnAllocator(of: image) else {
      return .good("allocations", "by malloc and its kin, which 'wick record --alloc' follows")
    }
    return .bad("allocations", "the program \(allocator.explanation)")
  }

  private static func findings(from facts: ProgramFacts) -> [Finding] {
    let named = Summary.grouped(Int64(facts.namedFunctionCount))
    let described = Summary.grouped(Int64(facts.describedFunctionCount))
    let hasTables = facts.describedFunctionCount > 0
    var findings: [Finding] = [
      facts.hasSymbolTable
        ? .good("symbols", "\(named) functions have names")
        : .bad(
          "symbols",
          "stripped: only \(named) exported names; keep the symbol table, or install the debug "
            + "package"),
      facts.buildID.isEmpty
        ? .bad(
          "build-id", "none: files cannot be checked against a recording; link with --build-id")
        : .good("build-id", facts.buildID),
      facts.hasDebugInfo
        ? .good("lines", "in the file")
        : .bad("lines", "none: build with -g to have them later"),
      hasTables
        ? .good("unwinding", "\(described) functions in .eh_frame")
        : .bad("unwinding", "no .eh_frame: stacks rest on frame pointers alone"),
    ]
    if let share = facts.framePointerShare {
      let percent = "in \(Int((share * 100).rounded())) % of the functions"
      findings.append(
        share >= 0.8
          ? .good("frame pointers", percent)
          : hasTables
            ? .good("frame pointers", "\(percent); not needed, the unwind tables serve")
            : .bad("frame pointers", "\(percent); build with -fno-omit-frame-pointer"))
    }
    return findings
  }
}
