/// Texts about addresses in the form of `addr2line -f -i`, each made once.
///
/// The same few addresses are asked for again and again, and printing costs more than looking up.
struct SymbolTexts {
  private var bytes: [UInt8] = []
  /// Addresses, and where their texts are; linear probing, the size is a power of two.
  private var slots = [Slot](repeating: Slot(), count: 1 << 10)
  private var count = 0
  /// Where names for people are in `names`, by number of the name in the index.
  private var namePlaces: [Range<UInt32>] = []
  private var names: [UInt8] = []

  private struct Slot {
    var address: UInt64 = 0
    /// No text is empty.
    var start = 0
    var end = 0
  }

  /// Texts that are kept take no more than this.
  private static let byteLimit = 64 << 20

  /// Appends the text for an address: for each function, the innermost first, a line with its name
  /// and one with file and line; and an empty line behind all.
  mutating func append(_ address: UInt64, of symbols: ModuleSymbols, to output: inout [UInt8]) {
    // Memory that is not written to costs nothing; growing copies.
    if count == 0 { bytes.reserveCapacity(1 << 22) }
    let slot = slot(of: address)
    if slots[slot].end > 0 {
      output += bytes[slots[slot].start..<slots[slot].end]
      return
    }
    let start = bytes.count
    make(address, symbols)
    output += bytes[start...]
    guard bytes.count < Self.byteLimit else {
      // Whoever asks for so many different addresses gains nothing.
      bytes.removeAll()
      slots = [Slot](repeating: Slot(), count: 1 << 10)
      count = 0
      return
    }
    slots[slot] = Slot(address: address, start: start, end: bytes.count)
    count += 1
    if count * 2 > slots.count { grow() }
  }

  private func slot(of address: UInt64) -> Int {
    let mask = slots.count &- 1
    let hash = address &* 0x9e37_79b9_7f4a_7c15
    var slot = Int(truncatingIfNeeded: hash >> 32) & mask
    while slots[slot].end > 0, slots[slot].address != address { slot = (slot &+ 1) & mask }
    return slot
  }

  private mutating func grow() {
    let old = slots
    slots = [Slot](repeating: Slot(), count: old.count * 4)
    for entry in old where entry.end > 0 { slots[slot(of: entry.address)] = entry }
  }

  private mutating func make(_ address: UInt64, _ symbols: ModuleSymbols) {
    let index = symbols.index
    let line = index.line(at: address)
    var file = line.file
    var number = line.line
    var next = index.node(at: address)
    if next == nil { appendName(TextPool.empty, symbols) }
    while let current = next {
      let node = index.node(current)
      appendName(node.name, symbols)
      guard node.caller != SourceIndexBuilder.noNode else { break }
      appendPlace(file, number, index)
      (file, number) = (node.callFile, node.callLine)
      next = node.caller
    }
    appendPlace(file, number, index)
    bytes.append(UInt8(ascii: "\n"))
  }

  private mutating func appendName(_ name: UInt32, _ symbols: ModuleSymbols) {
    if namePlaces.isEmpty {
      namePlaces = [Range<UInt32>](repeating: 0..<0, count: max(1, symbols.index.textCount))
    }
    let number = Int(name) < namePlaces.count ? Int(name) : 0
    if namePlaces[number].isEmpty {
      let start = UInt32(truncatingIfNeeded: names.count)
      unsafe Self.append(Array(symbols.name(name).utf8).span.bytes, to: &names)
      namePlaces[number] = start..<max(start, UInt32(truncatingIfNeeded: names.count))
    }
    bytes += names[Int(namePlaces[number].lowerBound)..<Int(namePlaces[number].upperBound)]
    bytes.append(UInt8(ascii: "\n"))
  }

  private mutating func appendPlace(_ file: UInt32, _ line: UInt32, _ index: SourceIndex) {
    let path = index.text(file)
    if path.byteCount == 0 {
      bytes.append(contentsOf: [UInt8(ascii: "?"), UInt8(ascii: "?")])
    } else {
      Self.append(path, to: &bytes)
    }
    bytes.append(UInt8(ascii: ":"))
    appendNumber(path.byteCount == 0 ? 0 : line)
    bytes.append(UInt8(ascii: "\n"))
  }

  /// Appends what a file says without what could steer a terminal or end the line too early.
  private static func append(_ text: RawSpan, to output: inout [UInt8]) {
    unsafe text.withUnsafeBytes { unsafe append($0, to: &output) }
  }

  private static func append(_ text: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    if unsafe text.allSatisfy({ 0x20...0x7e ~= $0 }) {
      unsafe output.append(contentsOf: text)
      return
    }
    for scalar in unsafe String(decoding: text, as: UTF8.self).unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: output += "\u{fffd}".utf8
      default: output += String(scalar).utf8
      }
    }
  }

  private mutating func appendNumber(_ number: UInt32) {
    if number >= 10 { appendNumber(number / 10) }
    bytes.append(UInt8(ascii: "0") + UInt8(number % 10))
  }
}
