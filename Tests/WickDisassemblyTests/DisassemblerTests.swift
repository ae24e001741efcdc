import Testing
import WickDisassembly

@Suite struct DisassemblerTests {
  private func texts(_ machine: Disassembler.Machine, _ code: [UInt8]) throws -> [String] {
    guard let disassembler = Disassembler(machine) else {
      Issue.record("the library has nothing for \(machine)")
      return []
    }
    return disassembler.instructions(of: code, at: 0x1000).map {
      "\(String($0.address, radix: 16)) \($0.byteCount) \($0.text)"
    }
  }

  @Test func readsX86() throws {
    // push %rbp; mov %rsp,%rbp; call +0; ret
    let code: [UInt8] = [0x55, 0x48, 0x89, 0xe5, 0xe8, 0, 0, 0, 0, 0xc3]
    #expect(
      try texts(.x86, code) == [
        "1000 1 pushq %rbp", "1001 3 movq %rsp, %rbp", "1004 5 callq 0x1009", "1009 1 retq",
      ])
  }

  @Test func readsArm64() throws {
    // nop; ret
    let code: [UInt8] = [0x1f, 0x20, 0x03, 0xd5, 0xc0, 0x03, 0x5f, 0xd6]
    #expect(try texts(.arm64, code) == ["1000 4 nop", "1004 4 ret"])
  }

  @Test func goesOnBehindWhatIsNoInstruction() throws {
    // An opcode that 64-bit mode lacks, then ret.
    let found = try texts(.x86, [0x06, 0xc3])
    #expect(found.count == 2)
    #expect(found.first?.contains(".byte") == true)
    #expect(found.last == "1001 1 retq")
  }

  @Test func anyBytesAreTaken() throws {
    var generator = SystemRandomNumberGenerator()
    for machine in [Disassembler.Machine.x86, .arm64] {
      let disassembler = try #require(Disassembler(machine) != nil ? machine : nil)
      for _ in 0..<300 {
        let code = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
          UInt8.random(in: .min ... .max, using: &generator)
        }
        let reader = Disassembler(disassembler)
        let found = reader?.instructions(of: code, at: .max - 100) ?? []
        #expect(found.reduce(0) { $0 + $1.byteCount } <= code.count)
      }
    }
  }
}
