internal import CWickUnwind
internal import WickProfile

/// What libunwind asks for while it walks one stack.
final class WalkContext {
  let code: LoadedCode
  private var registers: Registers?
  private var copies: [MemoryCopy] = []
  /// What was asked for and was not copied.
  private(set) var missingAddress: UInt64?
  /// Whether a register was asked for that is not known.
  private(set) var hasUnknownRegister = false
  /// Whether no unwind information was found for an address.
  private(set) var isUncovered = false

  init(code: LoadedCode) { self.code = code }

  /// Turns to another stack.
  func begin(_ capture: ThreadCapture) {
    registers = capture.registers
    copies = capture.copies
    beginStep()
  }

  /// Forgets what the last step asked for.
  func beginStep() {
    missingAddress = nil
    hasUnknownRegister = false
    isUncovered = false
  }

  private func word(at address: UInt64) -> UInt64? {
    for copy in copies {
      if let word = copy.word(at: address) { return word }
    }
    // A guess may lead anywhere.
    guard let mapping = code.map.mapping(at: address) else { return code.word(at: address) }
    if mapping.isConstant { return code.word(at: address) }
    missingAddress = missingAddress ?? address
    return nil
  }

  private func find(
    _ pc: UInt64, _ space: unw_addr_space_t, _ info: UnsafeMutablePointer<unw_proc_info_t>,
    _ needsUnwindInfo: Int32, _ argument: UnsafeMutableRawPointer
  ) -> Int32 {
    guard let place = code.module(at: pc), let table = code.table(of: place) else {
      isUncovered = true
      return Self.noInformation
    }
    let result = unsafe wick_unwind_find(
      space, pc, table.base, table.address, table.entryCount, info, needsUnwindInfo, argument)
    if result < 0 { isUncovered = true }
    return result
  }

  /// -UNW_ENOINFO and -UNW_EBADREG of `libunwind-common.h`, and -UNW_EINVAL for what is not done.
  private static let noInformation: Int32 = -10
  private static let badRegister: Int32 = -3
  private static let invalid: Int32 = -8

  private static func of(_ argument: UnsafeMutableRawPointer?) -> WalkContext? {
    unsafe argument.map { unsafe Unmanaged<WalkContext>.fromOpaque($0).takeUnretainedValue() }
  }

  /// What libunwind calls; the argument of each is a context.
  static func accessors() -> unw_accessors_t {
    var accessors = unw_accessors_t()
    unsafe accessors.find_proc_info = { space, pc, info, needsUnwindInfo, argument in
      guard let argument = unsafe argument, let space = unsafe space, let info = unsafe info,
        let context = unsafe WalkContext.of(argument)
      else { return WalkContext.noInformation }
      return unsafe context.find(pc, space, info, needsUnwindInfo, argument)
    }
    // It is freed by libunwind itself.
    unsafe accessors.put_unwind_info = { _, _, _ in }
    unsafe accessors.get_dyn_info_list_addr = { _, _, _ in WalkContext.noInformation }
    unsafe accessors.access_mem = { _, address, value, isWrite, argument in
      guard isWrite == 0, let word = unsafe WalkContext.of(argument)?.word(at: address) else {
        return WalkContext.invalid
      }
      unsafe value?.pointee = word
      return 0
    }
    unsafe accessors.access_reg = { _, number, value, isWrite, argument in
      guard isWrite == 0, let context = unsafe WalkContext.of(argument) else {
        return WalkContext.invalid
      }
      guard let known = context.registers?[number] else {
        context.hasUnknownRegister = true
        return WalkContext.badRegister
      }
      unsafe value?.pointee = known
      return 0
    }
    unsafe accessors.access_fpreg = { _, _, _, _, _ in WalkContext.invalid }
    unsafe accessors.resume = { _, _, _ in WalkContext.invalid }
    unsafe accessors.get_proc_name = { _, _, _, _, _, _ in WalkContext.invalid }
    return accessors
  }
}
