internal import CWickUnwind
internal import WickProfile

/// Finds the frames of captured threads, by libunwind.
@safe
final class StackWalker {
  let code: LoadedCode
  private let context: WalkContext
  private let space: unw_addr_space_t?

  /// Deeper stacks are cut.
  private static let frameLimit = 10_000

  init(code: LoadedCode) {
    self.code = code
    context = WalkContext(code: code)
    var accessors = WalkContext.accessors()
    unsafe space = wick_unwind_create_space(&accessors)
    if let space = unsafe space { unsafe wick_unwind_cache(space) }
  }

  deinit {
    if let space = unsafe space { unsafe wick_unwind_destroy_space(space) }
  }

  /// Walks a stack.
  func walk(_ capture: ThreadCapture) -> WalkedStack {
    guard capture.registers != nil else { return WalkedStack(end: capture.reasonForNothing) }
    context.begin(capture)
    var cursor = unw_cursor_t()
    let argument = unsafe Unmanaged.passUnretained(context).toOpaque()
    guard let space = unsafe space, unsafe wick_unwind_begin(&cursor, space, argument) == 0 else {
      return WalkedStack(end: .implausible)
    }
    var stack = WalkedStack(end: .whole)
    var latest: (pc: UInt64, sp: UInt64)?
    var wasSignalReturn = false
    while let pc = Self.register(Registers.instructionPointer, &cursor),
      let sp = Self.register(Registers.stackPointer, &cursor)
    {
      // The interrupted code of a handler on a stack of its own may be further down.
      let isCircle = latest.map { ($0.pc, $0.sp) == (pc, sp) || (sp <= $0.sp && !wasSignalReturn) }
      guard code.isCode(pc), isCircle != true || stack.steps.count == 1 else {
        stack.end = .implausible
        break
      }
      let isSignalReturn = code.isSignalReturn(pc)
      let kind: Frame.Kind =
        stack.steps.isEmpty ? .instruction : wasSignalReturn ? .interrupted : .returnAddress
      stack.steps.append(
        WalkedStack.Step(address: pc, kind: kind, isSignalReturn: isSignalReturn))
      guard stack.steps.count < Self.frameLimit else {
        stack.end = .tooDeep
        break
      }
      latest = (pc, sp)
      wasSignalReturn = isSignalReturn
      context.beginStep()
      let result = unsafe wick_unwind_step(&cursor)
      stack.missingAddress = context.missingAddress
      if result <= 0 || stack.missingAddress != nil || context.hasUnknownRegister {
        stack.end = end(after: result, &cursor)
        break
      }
    }
    if stack.end == .unknownRegister, capture.failure == .unresponsive { stack.end = .unresponsive }
    return stack
  }

  private func end(after result: Int32, _ cursor: inout unw_cursor_t) -> WalkedStack.End {
    if context.missingAddress != nil { return .unreadable }
    if context.hasUnknownRegister { return .unknownRegister }
    if context.isUncovered {
      // A frame pointer of 0 is the end of the chain.
      let isEnd = result == 0 && Self.register(Registers.framePointer, &cursor) == 0
      return isEnd ? .whole : .noRule
    }
    return result == 0 ? .whole : .implausible
  }

  private static func register(_ number: Int32, _ cursor: inout unw_cursor_t) -> UInt64? {
    var value: unw_word_t = 0
    return unsafe wick_unwind_register(&cursor, number, &value) == 0 ? value : nil
  }
}

extension ThreadCapture {
  /// Why there are no frames.
  fileprivate var reasonForNothing: WalkedStack.End {
    switch failure {
    case .refused(let code): .refused(code)
    case .unresponsive: .unresponsive
    case .ended, nil: .ended
    }
  }
}
