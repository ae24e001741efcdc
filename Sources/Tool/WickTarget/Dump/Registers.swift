internal import CWickUnwind

/// A thread's registers.
struct Registers {
  /// What is known, by the numbers that DWARF and libunwind give them.
  private var values: [UInt64?]

  /// Those that stacks are walked by.
  static let framePointer: Int32 = 6
  static let stackPointer: Int32 = 7
  static let instructionPointer: Int32 = 16

  /// All of them.
  init(_ registers: user_regs_struct) {
    values = [
      registers.rax, registers.rdx, registers.rcx, registers.rbx, registers.rsi, registers.rdi,
      registers.rbp, registers.rsp, registers.r8, registers.r9, registers.r10, registers.r11,
      registers.r12, registers.r13, registers.r14, registers.r15, registers.rip,
    ].map { UInt64($0) }
  }

  /// Those that the kernel tells of a thread that waits in it.
  init(_ place: ThreadLook.Place) {
    values = Array(repeating: nil, count: 17)
    values[Int(Self.stackPointer)] = place.stackPointer
    values[Int(Self.instructionPointer)] = place.instructionPointer
  }

  /// A register by its number; nil where it is not known.
  subscript(number: Int32) -> UInt64? {
    values.indices.contains(Int(number)) ? values[Int(number)] : nil
  }

  /// The end of the stack.
  var stackPointer: UInt64 { self[Self.stackPointer] ?? 0 }
}
