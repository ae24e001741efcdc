import Glibc
import WickRender
import WickSymbols

/// Writes functions and lines of addresses to standard output.
struct SymbolOutput {
  private var symbols: FileSymbols
  private let isJSON: Bool
  private var sink = ByteSink(descriptor: STDOUT_FILENO, name: "standard output")
  private var buffer: [UInt8] = []

  init(_ symbols: FileSymbols, isJSON: Bool) {
    self.symbols = symbols
    self.isJSON = isJSON
  }

  mutating func add(_ address: UInt64) {
    if isJSON {
      buffer += json(address).utf8
    } else {
      symbols.appendText(at: address, to: &buffer)
    }
    if buffer.count >= 1 << 18 { flush() }
  }

  mutating func flush() {
    var sink = sink
    unsafe sink.write(buffer.span.bytes)
    self.sink = sink
    buffer.removeAll(keepingCapacity: true)
  }

  /// Writes what is left; throws the first error of all.
  mutating func finish() throws {
    flush()
    try sink.finish()
  }

  private mutating func json(_ address: UInt64) -> String {
    let locations = symbols.locations(at: address)
    var json = JSONWriter()
    json.object { json in
      json.string("address", "0x" + String(address, radix: 16))
      json.array("frames") { json in
        for location in locations {
          json.object { json in
            json.string("function", location.function)
            json.string("file", location.file)
            json.integer("line", location.line == 0 ? nil : location.line)
          }
        }
      }
    }
    // On one line: newlines within texts are escaped.
    let lines = json.take().split(separator: "\n")
    return lines.map { $0.drop { $0 == " " } }.joined() + "\n"
  }
}
