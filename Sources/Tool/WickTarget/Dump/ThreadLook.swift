/// What `/proc` tells of a thread without disturbing it.
struct ThreadLook {
  /// Where a thread waits in the kernel, which it entered there.
  struct Place: Equatable {
    /// nil where it is there for another reason, such as a page fault.
    var systemCall: SystemCall?
    /// The call's; empty without one.
    var arguments: [UInt64]
    var stackPointer: UInt64
    var instructionPointer: UInt64

    /// Parses `/proc/PID/task/TID/syscall`; nil for a thread that runs.
    fileprivate init?(_ text: String) {
      // Number and six arguments, or -1; then the two registers.
      let words = text.split(whereSeparator: \.isWhitespace)
      guard words.count == 9 || words.count == 3, let number = Int(words[0]),
        let stackPointer = Self.hexadecimal(words[words.count - 2]),
        let instructionPointer = Self.hexadecimal(words[words.count - 1]), stackPointer != 0
      else { return nil }
      systemCall = number < 0 ? nil : SystemCall(number: number)
      arguments = words.dropFirst().dropLast(2).compactMap { Self.hexadecimal($0) }
      self.stackPointer = stackPointer
      self.instructionPointer = instructionPointer
    }

    /// Whether the call may return early with a part of its bytes if the thread is stopped.
    var isTransfer: Bool { systemCall?.isTransfer(arguments: arguments) ?? false }

    private static func hexadecimal(_ word: Substring) -> UInt64? {
      UInt64(word.hasPrefix("0x") ? word.dropFirst(2) : word, radix: 16)
    }
  }

  var name: String
  var state: ThreadState
  var place: Place?
  /// The kernel's function that it waits in.
  var waitChannel: String?

  /// How often it got a processor before this look, which tells whether it ran since; nil where the
  /// kernel does not count that.
  private let runCount: UInt64?
  private let folder: String

  /// More than any of these files has.
  private static let byteLimit = 4096

  /// Looks at a thread; nil if there is none.
  init?(pid: Int32, tid: Int32) {
    folder = "/proc/\(pid)/task/\(tid)"
    runCount = Self.runCount(folder)
    // The name may hold spaces and parentheses.
    guard let text = Self.text("\(folder)/stat"), let open = text.firstIndex(of: "("),
      let close = text.lastIndex(of: ")"), open < close
    else { return nil }
    name = String(text[text.index(after: open)..<close])
    let rest = text[text.index(after: close)...].split(
      maxSplits: 1, whereSeparator: \.isWhitespace)
    state = ThreadState(letter: rest.first?.first)
    guard state.isQuiet else { return }
    place = Self.text("\(folder)/syscall").flatMap { Place($0) }
    waitChannel = Self.text("\(folder)/wchan").flatMap { $0.isEmpty || $0 == "0" ? nil : $0 }
  }

  /// Whether it certainly has not run since; nil where that cannot be told.
  var isStill: Bool? { runCount.map { Self.runCount(folder) == $0 } }

  private static func runCount(_ folder: String) -> UInt64? {
    let words = (text("\(folder)/schedstat") ?? "").split(whereSeparator: \.isWhitespace)
    return words.count == 3 ? UInt64(words[2]) : nil
  }

  private static func text(_ path: String) -> String? { ProcFile.text(path, limit: byteLimit) }
}
