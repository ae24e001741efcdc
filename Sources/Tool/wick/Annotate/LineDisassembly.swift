import WickDisassembly
import WickProfile
import WickRender
import WickSymbols

/// Machine code of one source line, with the samples of each instruction.
struct LineDisassembly {
  /// More functions than this are not read; those with most samples are.
  private static let functionLimit = 8
  /// Of more instructions only those near samples are shown.
  private static let instructionLimit = 400
  private static let nearCount = 6
  /// So many instructions of other lines between two of this are shown, too.
  private static let betweenCount = 2

  private let profile: Profile
  private let column: Int
  private var symbolicator = Symbolicator(cache: .ofUser())

  init(of profile: Profile, column: Int) {
    self.profile = profile
    self.column = column
  }

  /// Reads the code of the line that a source is looked at for.
  ///
  /// - Parameter source: The source.
  /// - Returns: A listing for each function that has samples in the line.
  mutating func listings(for source: AnnotatedSource) -> [CodeListing] {
    guard let line = source.line, let origins = source.origins else { return [] }
    let place = SourceLine(file: source.values.file, line: line.number)
    var listings: [CodeListing] = []
    let modules = Dictionary(grouping: origins.instructions, by: \.module)
    for (index, samples) in modules.sorted(by: { $0.key < $1.key }) {
      let module = profile.modules[index]
      guard
        var file = ModuleFile(module, processes: profile.origin.processes.prefix(16).map(\.pid))
      else {
        listings.append(
          CodeListing(
            module: String(module.name), problem: "the file that ran is not at \(module.path)"))
        continue
      }
      listings += functions(
        of: &file, module, samples: samples, line: place, in: source.values.function)
    }
    return listings
  }

  private mutating func functions(
    of file: inout ModuleFile, _ module: Module, samples: [LineOrigins.Instruction],
    line: SourceLine, in function: CallTree.Function?
  ) -> [CodeListing] {
    guard let machine = Self.machine(file.machine), let disassembler = Disassembler(machine) else {
      return [
        CodeListing(module: String(module.name), problem: "code of its machine cannot be read")
      ]
    }
    var found: [UInt64: (code: [UInt8], samples: [LineOrigins.Instruction])] = [:]
    for sample in samples {
      guard let read = file.function(at: sample.address) else { continue }
      found[read.start, default: (read.code, [])].samples.append(sample)
    }
    let hottest = found.sorted { first, second in
      let values = [first, second].map { entry in
        entry.value.samples.reduce(Int64(0)) { $0.addingSaturating($1.totalValue) }
      }
      return values[0] != values[1] ? values[0] > values[1] : first.key < second.key
    }
    return hottest.prefix(Self.functionLimit).map { start, read in
      let all = disassembler.instructions(of: read.code, at: start)
      return listing(all, module, samples: read.samples, line: line, in: function)
    }
  }

  private mutating func listing(
    _ all: [Disassembler.Instruction], _ module: Module, samples: [LineOrigins.Instruction],
    line: SourceLine, in function: CallTree.Function?
  ) -> CodeListing {
    let isOfLine = membership(all, module, line: line, in: function)
    var instructions = zip(all, isOfLine).map { instruction, isOfLine in
      CodeListing.Instruction(
        address: instruction.address, byteCount: instruction.byteCount, text: instruction.text,
        isOfLine: isOfLine)
    }
    for sample in samples {
      guard let next = Self.index(of: sample.address, in: instructions) else { continue }
      instructions[next].selfValue = instructions[next].selfValue.addingSaturating(
        sample.selfValue)
      instructions[next].totalValue = instructions[next].totalValue.addingSaturating(
        sample.totalValue)
    }
    let wanted = instructions.indices.filter {
      instructions[$0].isOfLine || instructions[$0].totalValue != 0
    }
    guard wanted.count > Self.instructionLimit else {
      return CodeListing(
        module: String(module.name),
        instructions: Self.around(wanted, Self.betweenCount, of: instructions))
    }
    var near = [Bool](repeating: false, count: instructions.count)
    for index in wanted where instructions[index].totalValue != 0 {
      let first = max(0, index - Self.nearCount)
      for neighbor in first...min(instructions.count - 1, index + Self.nearCount) {
        near[neighbor] = true
      }
    }
    return CodeListing(
      module: String(module.name),
      problem: "of \(wanted.count) instructions only those near samples are shown",
      instructions: instructions.indices.filter { near[$0] }.map { instructions[$0] })
  }

  /// Which instructions are of the line, as the debug information has it.
  private mutating func membership(
    _ all: [Disassembler.Instruction], _ module: Module, line: SourceLine,
    in function: CallTree.Function?
  ) -> [Bool] {
    var code = Profile(valueTypes: [.samples])
    code.modules = [module]
    for instruction in all {
      let frame = code.intern(
        Frame(kind: .instruction, module: 0, address: instruction.address))
      code.add(Profile.Sample(stack: code.stack(parent: 0, frame: frame)), values: [1])
    }
    let named = symbolicator.symbolicate(code)
    return named.samples.map { sample in
      guard sample.stack != 0 else { return false }
      let frame = named.frames[Int(named.stacks.frames[sample.stack])]
      return SourceLine(frame) == line
        && (function == nil || LineTable.Place(frame, in: named).function == function)
    }
  }

  /// Wanted instructions, and those in short gaps between them.
  private static func around(
    _ wanted: [Int], _ gap: Int, of all: [CodeListing.Instruction]
  ) -> [CodeListing.Instruction] {
    var shown: [CodeListing.Instruction] = []
    var last: Int?
    for index in wanted {
      if let last, index - last <= gap + 1 {
        shown += all[(last + 1)..<index]
      }
      shown.append(all[index])
      last = index
    }
    return shown
  }

  /// The instruction that an address is in: the last that begins at or before it.
  private static func index(
    of address: UInt64, in instructions: [CodeListing.Instruction]
  ) -> Int? {
    var low = 0
    var high = instructions.count
    while low < high {
      let middle = low + (high - low) / 2
      if instructions[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? low - 1 : nil
  }

  private static func machine(_ number: UInt16) -> Disassembler.Machine? {
    switch number {
    case 62: .x86
    case 183: .arm64
    default: nil
    }
  }
}
