/// What `/proc` tells of a thread without disturbing it.
struct ThreadLook {
  /// Where a thread waits in the kernel, which it entered there.
  struct Place: Equatable {
    /// nil where it is there for another reason, such as a page fault.
    var systemCall: Int?
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
      systemCall = number < 0 ? nil : number
      self.stackPointer = stackPointer
      self.instructionPointer = instructionPointer
    }

    private static func hexadecimal(_ word: Substring) -> UInt64? {
      UInt64(word.hasPrefix("0x") ? word.dropFirst(2) : word, radix: 16)
    }
  }

  var name: String
  var state: ThreadState
  var place: Place?
  /// The kernel's function that it waits in.
  var waitChannel: String?

  private let folder: String

  /// Looks at a thread; nil if there is none.
  init?(pid: Int32, tid: Int32) {
    folder = "/proc/\(pid)/task/\(tid)"
    // The name may hold spaces and parentheses.
    guard let text = ProcFile.text("\(folder)/stat"), let open = text.firstIndex(of: "("),
      let close = text.lastIndex(of: ")"), open < close
    else { return nil }
    name = String(text[text.index(after: open)..<close])
    let rest = text[text.index(after: close)...].split(
      maxSplits: 1, whereSeparator: \.isWhitespace)
    state = ThreadState(letter: rest.first ?? "")
    guard state.isQuiet else { return }
    place = ProcFile.text("\(folder)/syscall").flatMap { Place($0) }
    waitChannel = ProcFile.text("\(folder)/wchan").flatMap { $0.isEmpty || $0 == "0" ? nil : $0 }
  }

  /// How often it got a processor, which tells whether it ran in between; nil where the kernel does
  /// not count that.
  func runCount() -> UInt64? {
    let words = (ProcFile.text("\(folder)/schedstat") ?? "").split(whereSeparator: \.isWhitespace)
    return words.count == 3 ? UInt64(words[2]) : nil
  }
}
