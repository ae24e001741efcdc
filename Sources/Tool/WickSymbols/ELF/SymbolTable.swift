/// A module's named code as disjoint address ranges, in ascending order.
///
/// A symbol names the addresses from its start up to its size, and no other. Of overlapping
/// symbols the one that starts last wins, of aliases the better name. A symbol without a size
/// (assembler code) reaches to the next symbol, but not out of its section or its FDE, and not
/// into a symbol that has a size.
struct SymbolTable {
  private var starts: [UInt64] = []
  private var ends: [UInt64] = []
  private var places: [Int] = []
  private let names: SymbolNames

  /// Sorts a module's symbols.
  ///
  /// - Parameters:
  ///   - symbols: In any order, with duplicates.
  ///   - names: What the symbols' names are places in.
  ///   - code: The executable sections, ascending.
  ///   - functions: The module's FDEs.
  init(
    _ symbols: [ElfSymbol], names: SymbolNames, code: AddressRanges, functions: AddressRanges
  ) {
    self.names = names
    var sized: [(symbol: ElfSymbol, end: UInt64)] = []
    var unsized: [ElfSymbol] = []
    for symbol in symbols where !names.isNoise(symbol.name) {
      guard let section = code.range(at: symbol.start) else { continue }
      if symbol.byteCount == 0 {
        unsized.append(symbol)
      } else {
        let (end, overflow) = symbol.start.addingReportingOverflow(symbol.byteCount)
        let bound = overflow ? section.upperBound : min(end, section.upperBound)
        sized.append((symbol, bound))
      }
    }
    // Worse aliases first, so that the better one ends up on top.
    sized.sort { first, second in
      if first.symbol.start != second.symbol.start {
        return first.symbol.start < second.symbol.start
      }
      return names.isBetter(second.symbol, than: first.symbol)
    }
    flatten(sized)
    unsized.sort { first, second in
      first.start != second.start
        ? first.start < second.start : names.isBetter(first, than: second)
    }
    addUnsized(unsized, code: code, functions: functions)
  }

  /// Number of ranges.
  var count: Int { starts.count }

  /// A range, and the place of its name.
  struct Entry {
    var range: Range<UInt64>
    fileprivate var place: Int
  }

  /// The range that covers an address.
  func entry(at address: UInt64) -> Entry? {
    index(at: address).map { Entry(range: starts[$0]..<ends[$0], place: places[$0]) }
  }

  /// The symbol of a range, as it is in the file.
  func name(_ entry: Entry) -> String { names[entry.place] }

  /// The symbol and the range that cover an address.
  func symbol(at address: UInt64) -> (name: String, range: Range<UInt64>)? {
    entry(at: address).map { (name($0), $0.range) }
  }

  /// Calls `body` with each range and its name, ascending.
  func forEach(_ body: (Range<UInt64>, String) -> Void) {
    for index in starts.indices { body(starts[index]..<ends[index], names[places[index]]) }
  }

  /// The symbol of a range as bytes.
  func bytes(of entry: Entry) -> ArraySlice<UInt8> { names.bytes(at: entry.place) }

  /// Calls `body` with each range and the bytes of its name, ascending.
  func forEachName(_ body: (Range<UInt64>, ArraySlice<UInt8>) -> Void) {
    for index in starts.indices {
      body(starts[index]..<ends[index], names.bytes(at: places[index]))
    }
  }

  private func index(at address: UInt64) -> Int? {
    let next = starts.partitioningIndex { $0 > address }
    guard next > 0, address < ends[next - 1] else { return nil }
    return next - 1
  }

  private mutating func append(_ range: Range<UInt64>, place: Int) {
    starts.append(range.lowerBound)
    ends.append(range.upperBound)
    places.append(place)
  }

  /// Sweeps over symbols in ascending order with a stack of those that are open.
  private mutating func flatten(_ symbols: [(symbol: ElfSymbol, end: UInt64)]) {
    var open: [(symbol: ElfSymbol, end: UInt64)] = []
    var position: UInt64 = 0
    func close(upTo limit: UInt64, in table: inout SymbolTable) {
      while position < limit, let top = open.last {
        guard top.end > position else {
          open.removeLast()
          continue
        }
        let end = min(top.end, limit)
        table.append(position..<end, place: top.symbol.name)
        position = end
      }
      position = max(position, limit)
    }
    for entry in symbols {
      close(upTo: entry.symbol.start, in: &self)
      open.append(entry)
    }
    close(upTo: .max, in: &self)
  }

  private mutating func addUnsized(
    _ symbols: [ElfSymbol], code: AddressRanges, functions: AddressRanges
  ) {
    var added: [(range: Range<UInt64>, place: Int)] = []
    for (index, symbol) in symbols.enumerated() {
      let start = symbol.start
      guard index == 0 || symbols[index - 1].start != start, self.index(at: start) == nil,
        let section = code.range(at: start)
      else { continue }
      var end = functions.range(at: start)?.upperBound ?? functions.start(after: start) ?? .max
      end = min(end, section.upperBound)
      let nextSized = starts.partitioningIndex { $0 > start }
      if nextSized < starts.count { end = min(end, starts[nextSized]) }
      if let next = symbols[index...].first(where: { $0.start > start }) {
        end = min(end, next.start)
      }
      added.append((start..<end, symbol.name))
    }
    guard !added.isEmpty else { return }
    let all = (added + starts.indices.map { (starts[$0]..<ends[$0], places[$0]) }).sorted {
      $0.0.lowerBound < $1.0.lowerBound
    }
    (starts, ends, places) = ([], [], [])
    for (range, place) in all { append(range, place: place) }
  }
}
