/// Rust's mangling of today ("v0", RFC 2603; the Rust reference's "Symbol mangling"), as it is shown
/// to people: without the hashes of crates and the types of constants.
struct RustSymbol {
  /// What is wrong with a name does not matter: it is shown as it is.
  private struct Malformed: Error {}

  private static let depthLimit = 200
  private static let lengthLimit = 8192
  /// Back references can make little text of a lot of work.
  private static let stepLimit = 50_000

  private let text: [UInt8]
  private var index = 0
  private var output: [UInt8] = []
  private var depth = 0
  private var steps = 0
  /// Lifetimes that `for<…>` around here has.
  private var lifetimeCount: UInt64 = 0
  /// Whether only the position moves.
  private var isSilent = false

  /// The name of a function; nil for what is none.
  static func name(of symbol: String) -> String? {
    guard symbol.utf8.starts(with: "_R".utf8) else { return nil }
    // What a vendor appended.
    let body = symbol.utf8.dropFirst(2).prefix {
      $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "$")
    }
    // A number would be that of a later encoding.
    guard let first = body.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
      return nil
    }
    var reader = RustSymbol(text: Array(body))
    do {
      try reader.path(inValue: true)
      // The crate that made the instance.
      if reader.index < reader.text.count {
        reader.isSilent = true
        try reader.path(inValue: false)
      }
    } catch {
      return nil
    }
    guard reader.index == reader.text.count else { return nil }
    return String(decoding: reader.output, as: UTF8.self)
  }

  private init(text: [UInt8]) { self.text = text }

  // MARK: Letters and numbers

  private var letter: UInt8 { index < text.count ? text[index] : 0 }

  private mutating func take() throws -> UInt8 {
    guard index < text.count else { throw Malformed() }
    index += 1
    return text[index - 1]
  }

  private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
    guard letter == UInt8(ascii: wanted) else { return false }
    index += 1
    return true
  }

  /// `_` is 0, `0_` 1, `Z_` 62.
  private mutating func base62() throws -> UInt64 {
    if take("_") { return 0 }
    var value: UInt64 = 0
    while true {
      let digit: UInt64
      switch try take() {
      case UInt8(ascii: "_"):
        let (sum, overflow) = value.addingReportingOverflow(1)
        guard !overflow else { throw Malformed() }
        return sum
      case let byte where (0x30...0x39).contains(byte): digit = UInt64(byte - 0x30)
      case let byte where (0x61...0x7a).contains(byte): digit = UInt64(byte - 0x61) + 10
      case let byte where (0x41...0x5a).contains(byte): digit = UInt64(byte - 0x41) + 36
      default: throw Malformed()
      }
      let (product, tooLarge) = value.multipliedReportingOverflow(by: 62)
      let (sum, overflow) = product.addingReportingOverflow(digit)
      guard !tooLarge, !overflow else { throw Malformed() }
      value = sum
    }
  }

  /// A number behind a letter, plus 1; 0 without the letter.
  private mutating func base62(behind tag: Unicode.Scalar) throws -> UInt64 {
    guard take(tag) else { return 0 }
    let (sum, overflow) = try base62().addingReportingOverflow(1)
    guard !overflow else { throw Malformed() }
    return sum
  }

  /// A name without its disambiguator, in UTF-8.
  private mutating func identifier() throws -> [UInt8] {
    let isPunycode = take("u")
    var count = 0
    guard (0x30...0x39).contains(letter) else { throw Malformed() }
    if !take("0") {
      while (0x30...0x39).contains(letter) {
        count = count * 10 + Int(letter - 0x30)
        guard count <= text.count else { throw Malformed() }
        index += 1
      }
    }
    _ = take("_")
    guard count <= text.count - index else { throw Malformed() }
    let bytes = Array(text[index..<index + count])
    index += count
    guard isPunycode else { return bytes }
    guard let decoded = Punycode.decoded(bytes) else { throw Malformed() }
    return Array(decoded.utf8)
  }

  // MARK: Output

  private mutating func write(_ text: String) throws { try write(Array(text.utf8)) }

  private mutating func write(_ bytes: [UInt8]) throws {
    guard !isSilent else { return }
    guard output.count + bytes.count <= Self.lengthLimit else { throw Malformed() }
    output += bytes
  }

  private mutating func nested(_ body: (inout RustSymbol) throws -> Void) throws {
    depth += 1
    steps += 1
    guard depth <= Self.depthLimit, steps <= Self.stepLimit else { throw Malformed() }
    try body(&self)
    depth -= 1
  }

  /// Reads at a place before this one.
  private mutating func backReference(_ body: (inout RustSymbol) throws -> Void) throws {
    let start = index - 1
    let place = try base62()
    guard place < UInt64(start) else { throw Malformed() }
    // What is not shown was read before.
    guard !isSilent else { return }
    let next = index
    index = Int(place)
    try nested(body)
    index = next
  }

  /// Elements up to `E`, with commas; how many there were.
  private mutating func list(_ element: (inout RustSymbol) throws -> Void) throws -> Int {
    var count = 0
    while !take("E") {
      if count > 0 { try write(", ") }
      try element(&self)
      count += 1
    }
    return count
  }

  // MARK: Paths

  private mutating func path(inValue: Bool) throws {
    try nested { try $0.pathBody(inValue: inValue) }
  }

  private mutating func pathBody(inValue: Bool) throws {
    switch try take() {
    case UInt8(ascii: "C"):
      _ = try base62(behind: "s")
      try write(try identifier())
    case UInt8(ascii: "N"): try nestedPath(inValue: inValue)
    case UInt8(ascii: "M"):
      try implementation()
      try write("<")
      try type()
      try write(">")
    case UInt8(ascii: "X"):
      try implementation()
      try qualifiedType()
    case UInt8(ascii: "Y"): try qualifiedType()
    case UInt8(ascii: "I"):
      try path(inValue: inValue)
      try write(inValue ? "::<" : "<")
      _ = try list { try $0.genericArgument() }
      try write(">")
    case UInt8(ascii: "B"): try backReference { try $0.path(inValue: inValue) }
    default: throw Malformed()
    }
  }

  private mutating func nestedPath(inValue: Bool) throws {
    let namespace = try take()
    try path(inValue: inValue)
    let number = try base62(behind: "s")
    let name = try identifier()
    switch namespace {
    case 0x61...0x7a:
      guard !name.isEmpty else { return }
      try write("::")
      try write(name)
    case 0x41...0x5a:
      let kind =
        switch namespace {
        case UInt8(ascii: "C"): "closure"
        case UInt8(ascii: "S"): "shim"
        default: String(UnicodeScalar(namespace))
        }
      try write("::{\(kind)")
      if !name.isEmpty {
        try write(":")
        try write(name)
      }
      try write("#\(number)}")
    default: throw Malformed()
    }
  }

  /// Where an implementation stands, which is not shown.
  private mutating func implementation() throws {
    _ = try base62(behind: "s")
    let wasSilent = isSilent
    isSilent = true
    try path(inValue: false)
    isSilent = wasSilent
  }

  private mutating func qualifiedType() throws {
    try write("<")
    try type()
    try write(" as ")
    try path(inValue: false)
    try write(">")
  }

  private mutating func genericArgument() throws {
    if take("L") { return try lifetime(try base62()) }
    if take("K") { return try constant() }
    try type()
  }

  // MARK: Types

  private static let basicTypes: [UInt8: String] = [
    UInt8(ascii: "a"): "i8", UInt8(ascii: "b"): "bool", UInt8(ascii: "c"): "char",
    UInt8(ascii: "d"): "f64", UInt8(ascii: "e"): "str", UInt8(ascii: "f"): "f32",
    UInt8(ascii: "h"): "u8", UInt8(ascii: "i"): "isize", UInt8(ascii: "j"): "usize",
    UInt8(ascii: "l"): "i32", UInt8(ascii: "m"): "u32", UInt8(ascii: "n"): "i128",
    UInt8(ascii: "o"): "u128", UInt8(ascii: "p"): "_", UInt8(ascii: "s"): "i16",
    UInt8(ascii: "t"): "u16", UInt8(ascii: "u"): "()", UInt8(ascii: "v"): "...",
    UInt8(ascii: "x"): "i64", UInt8(ascii: "y"): "u64", UInt8(ascii: "z"): "!",
  ]

  private mutating func type() throws {
    try nested { try $0.typeBody() }
  }

  private mutating func typeBody() throws {
    let tag = try take()
    if let name = Self.basicTypes[tag] { return try write(name) }
    switch tag {
    case UInt8(ascii: "R"), UInt8(ascii: "Q"):
      try write("&")
      if take("L") {
        let number = try base62()
        if number > 0 {
          try lifetime(number)
          try write(" ")
        }
      }
      if tag == UInt8(ascii: "Q") { try write("mut ") }
      try type()
    case UInt8(ascii: "P"), UInt8(ascii: "O"):
      try write(tag == UInt8(ascii: "P") ? "*const " : "*mut ")
      try type()
    case UInt8(ascii: "A"), UInt8(ascii: "S"):
      try write("[")
      try type()
      if tag == UInt8(ascii: "A") {
        try write("; ")
        try constant()
      }
      try write("]")
    case UInt8(ascii: "T"):
      try write("(")
      if try list({ try $0.type() }) == 1 { try write(",") }
      try write(")")
    case UInt8(ascii: "F"): try binder { try $0.function() }
    case UInt8(ascii: "D"):
      try write("dyn ")
      try binder { reader in
        var count = 0
        while !reader.take("E") {
          if count > 0 { try reader.write(" + ") }
          try reader.dynamicTrait()
          count += 1
        }
      }
      guard take("L") else { throw Malformed() }
      let number = try base62()
      if number > 0 {
        try write(" + ")
        try lifetime(number)
      }
    case UInt8(ascii: "B"): try backReference { try $0.type() }
    default:
      // A path.
      index -= 1
      try path(inValue: false)
    }
  }

  private mutating func function() throws {
    if take("U") { try write("unsafe ") }
    if take("K") {
      try write("extern \"")
      if take("C") {
        try write("C")
      } else {
        try write(try identifier().map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 })
      }
      try write("\" ")
    }
    try write("fn(")
    _ = try list { try $0.type() }
    try write(")")
    if take("u") { return }
    try write(" -> ")
    try type()
  }

  private mutating func dynamicTrait() throws {
    var isOpen = try openPath()
    while take("p") {
      try write(isOpen ? ", " : "<")
      isOpen = true
      try write(try identifier())
      try write(" = ")
      try type()
    }
    if isOpen { try write(">") }
  }

  /// A trait's path, whose generic arguments are left open for what follows; whether it has any.
  private mutating func openPath() throws -> Bool {
    var isOpen = false
    try nested { reader in
      if reader.take("B") {
        try reader.backReference { isOpen = try $0.openPath() }
      } else if reader.take("I") {
        try reader.path(inValue: false)
        try reader.write("<")
        _ = try reader.list { try $0.genericArgument() }
        isOpen = true
      } else {
        try reader.path(inValue: false)
      }
    }
    return isOpen
  }

  // MARK: Lifetimes

  private mutating func binder(_ body: (inout RustSymbol) throws -> Void) throws {
    let count = try base62(behind: "G")
    guard count <= 64 else { throw Malformed() }
    if count > 0 {
      try write("for<")
      for number in 0..<count {
        if number > 0 { try write(", ") }
        lifetimeCount += 1
        try lifetime(1)
      }
      try write("> ")
    }
    try body(&self)
    lifetimeCount -= count
  }

  /// A lifetime, counted from the innermost; 0 is one that was erased.
  private mutating func lifetime(_ number: UInt64) throws {
    guard number > 0 else { return try write("'_") }
    guard number <= lifetimeCount else {
      if isSilent { return }
      throw Malformed()
    }
    let place = lifetimeCount - number
    try write(
      place < 26 ? "'\(UnicodeScalar(UInt8(ascii: "a") + UInt8(place)))" : "'_\(place)")
  }

  // MARK: Constants

  private mutating func constant() throws {
    try nested { try $0.constantBody() }
  }

  private mutating func constantBody() throws {
    let tag = try take()
    switch tag {
    case UInt8(ascii: "p"): try write("_")
    case UInt8(ascii: "B"): try backReference { try $0.constant() }
    case UInt8(ascii: "a"), UInt8(ascii: "s"), UInt8(ascii: "l"), UInt8(ascii: "x"),
      UInt8(ascii: "n"), UInt8(ascii: "i"):
      if take("n") { try write("-") }
      try number()
    case UInt8(ascii: "h"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "y"),
      UInt8(ascii: "o"), UInt8(ascii: "j"):
      try number()
    case UInt8(ascii: "b"):
      switch UInt64(String(decoding: try hexadecimal(), as: UTF8.self), radix: 16) {
      case 0: try write("false")
      case 1: try write("true")
      default: throw Malformed()
      }
    case UInt8(ascii: "c"):
      guard let value = UInt32(String(decoding: try hexadecimal(), as: UTF8.self), radix: 16),
        let scalar = Unicode.Scalar(value)
      else { throw Malformed() }
      try write("'\(scalar.escaped(asASCII: false))'")
    default: throw Malformed()
    }
  }

  private mutating func hexadecimal() throws -> [UInt8] {
    let start = index
    while !take("_") {
      guard (0x30...0x39).contains(letter) || (0x61...0x66).contains(letter) else {
        throw Malformed()
      }
      index += 1
    }
    // Nothing is 0.
    return start == index - 1 ? [0x30] : Array(text[start..<index - 1])
  }

  private mutating func number() throws {
    let digits = String(decoding: try hexadecimal(), as: UTF8.self)
    try write(UInt64(digits, radix: 16).map { "\($0)" } ?? "0x\(digits)")
  }
}
