internal import CWickCapstone

/// Turns machine code into text.
public struct Disassembler: ~Copyable {
  /// A machine whose code can be read.
  public enum Machine: Hashable, Sendable {
    case x86, arm64
  }

  /// An instruction.
  public struct Instruction: Hashable, Sendable {
    /// Where it begins.
    public var address: UInt64
    /// Bytes of code.
    public var byteCount: Int
    /// Mnemonic and operands; `.byte …` for what is no instruction.
    public var text: String
  }

  private let handle: csh

  /// Creates a disassembler; nil if the library has none for the machine.
  public init?(_ machine: Machine) {
    var handle: csh = 0
    let (architecture, mode) =
      switch machine {
      case .x86: (CS_ARCH_X86, CS_MODE_64)
      case .arm64: (CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN)
      }
    guard unsafe cs_open(architecture, mode, &handle) == CS_ERR_OK else { return nil }
    // Linux tools print AT&T's syntax, as `objdump -d` does.
    if machine == .x86 { cs_option(handle, CS_OPT_SYNTAX, Int(CS_OPT_SYNTAX_ATT.rawValue)) }
    // What is no instruction does not end the listing.
    cs_option(handle, CS_OPT_SKIPDATA, Int(CS_OPT_ON.rawValue))
    self.handle = handle
  }

  deinit {
    var handle = handle
    unsafe cs_close(&handle)
  }

  /// Reads code from its first instruction on.
  ///
  /// - Parameters:
  ///   - code: The bytes.
  ///   - address: Of the first.
  /// - Returns: Instructions without gaps; an incomplete one at the end is left out.
  public func instructions(of code: [UInt8], at address: UInt64) -> [Instruction] {
    guard let instruction = unsafe cs_malloc(handle) else { return [] }
    defer { unsafe cs_free(instruction, 1) }
    return unsafe code.withUnsafeBufferPointer { buffer in
      var found: [Instruction] = []
      var next = buffer.baseAddress
      var left = buffer.count
      var address = address
      while unsafe cs_disasm_iter(handle, &next, &left, &address, instruction) {
        let mnemonic = unsafe Self.text(&instruction.pointee.mnemonic)
        let operands = unsafe Self.text(&instruction.pointee.op_str)
        found.append(
          Instruction(
            address: unsafe instruction.pointee.address,
            byteCount: Int(unsafe instruction.pointee.size),
            text: operands.isEmpty ? mnemonic : "\(mnemonic) \(operands)"))
      }
      return found
    }
  }

  /// A terminated text in a field of fixed size.
  private static func text<Field>(_ field: UnsafeMutablePointer<Field>) -> String {
    let bytes = unsafe UnsafeRawBufferPointer(start: field, count: MemoryLayout<Field>.size)
    return unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
