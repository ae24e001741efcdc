/// What a program file offers to a profiler.
public struct ProgramFacts: Hashable, Sendable {
  /// Build-id in hexadecimal; empty where there is none.
  public var buildID: String
  /// Whether the file has the full table of symbols, with internal functions.
  public var hasSymbolTable: Bool
  /// Functions that symbols name.
  public var namedFunctionCount: Int
  /// Functions that `.eh_frame` describes.
  public var describedFunctionCount: Int
  /// Whether the file has DWARF line tables.
  public var hasDebugInfo: Bool
  /// Of the functions looked at, how many begin with `push %rbp; mov %rsp,%rbp`; x86-64 only.
  public var framePointerShare: Double?

  /// Looks at a file; nil if the bytes are no 64-bit little-endian ELF program or library.
  ///
  /// - Parameter bytes: The whole file.
  public init?(_ bytes: RawSpan) {
    guard let file = try? ElfFile.open(bytes),
      let image = try? ElfImage(bytes, buildID: file.buildID(bytes))
    else { return nil }
    let table = SymbolTable(
      image.symbols, names: image.names, code: image.code, functions: image.functions)
    buildID = Hex.string(image.buildID)
    hasSymbolTable = image.hasSymbolTable
    namedFunctionCount = table.count
    describedFunctionCount = image.functions.count
    hasDebugInfo = file.sections.contains {
      $0.name == ".debug_line" || $0.name == ".zdebug_line"
    }
    framePointerShare =
      file.machine == Self.x86Machine
      ? Self.framePointerShare(of: image.functions, file: file, bytes: bytes) : nil
  }

  /// EM_X86_64.
  private static let x86Machine: UInt16 = 62

  /// Functions shorter than this are mostly leaves and stubs, which need no frame.
  private static let shortFunction: UInt64 = 32

  private static func framePointerShare(
    of functions: AddressRanges, file: ElfFile, bytes: RawSpan
  ) -> Double? {
    var total = 0
    var framed = 0
    for range in functions.ranges where range.upperBound - range.lowerBound >= shortFunction {
      guard let place = file.place(of: range.lowerBound) else { continue }
      let start = bytes.clamped(offset: place.offset, byteCount: shortFunction).array
      guard start.count == Int(shortFunction) else { continue }
      total += 1
      // The pair may stand behind an endbr64 and a few moves.
      let pair: [UInt8] = [0x55, 0x48, 0x89, 0xe5]
      if (0...start.count - 4).contains(where: { start[$0..<$0 + 4].elementsEqual(pair) }) {
        framed += 1
      }
    }
    return total == 0 ? nil : Double(framed) / Double(total)
  }
}
