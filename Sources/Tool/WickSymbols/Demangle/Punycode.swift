/// Names with letters outside ASCII, as Rust's symbols have them (RFC 3492, with `_` for the hyphen).
enum Punycode {
  /// Longer ones are nobody's.
  private static let lengthLimit = 256

  /// The name; nil for what is no such code.
  static func decoded(_ bytes: [UInt8]) -> String? {
    guard bytes.count <= lengthLimit else { return nil }
    let mark = bytes.lastIndex(of: UInt8(ascii: "_"))
    var scalars = bytes[..<(mark ?? 0)].map { UInt32($0) }
    let code = bytes[(mark.map { $0 + 1 } ?? 0)...]
    guard !code.isEmpty else { return nil }
    var index = code.startIndex
    var (place, scalar, bias): (UInt32, UInt32, UInt32) = (0, 128, 72)
    while index < code.endIndex {
      let start = place
      var (weight, step): (UInt32, UInt32) = (1, 36)
      while true {
        guard index < code.endIndex, let digit = digit(code[index]) else { return nil }
        index += 1
        let (product, overflow) = digit.multipliedReportingOverflow(by: weight)
        let (sum, isTooFar) = place.addingReportingOverflow(product)
        guard !overflow, !isTooFar else { return nil }
        place = sum
        let threshold = min(max(step, bias + 1) - bias, 26)
        if digit < threshold { break }
        let (next, isTooHeavy) = weight.multipliedReportingOverflow(by: 36 - threshold)
        guard !isTooHeavy else { return nil }
        weight = next
        step += 36
      }
      let count = UInt32(scalars.count) + 1
      bias = adapted(place - start, count: count, isFirst: start == 0)
      let (next, overflow) = scalar.addingReportingOverflow(place / count)
      guard !overflow else { return nil }
      scalar = next
      place %= count
      scalars.insert(scalar, at: Int(place))
      place += 1
    }
    var text = ""
    for value in scalars {
      guard let scalar = Unicode.Scalar(value) else { return nil }
      text.unicodeScalars.append(scalar)
    }
    return text
  }

  private static func digit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x61...0x7a: UInt32(byte - 0x61)
    case 0x41...0x5a: UInt32(byte - 0x41)
    case 0x30...0x39: UInt32(byte - 0x30) + 26
    default: nil
    }
  }

  private static func adapted(_ distance: UInt32, count: UInt32, isFirst: Bool) -> UInt32 {
    var delta = isFirst ? distance / 700 : distance / 2
    delta += delta / count
    var steps: UInt32 = 0
    while delta > 35 * 26 / 2 {
      delta /= 35
      steps += 36
    }
    return steps + 36 * delta / (delta + 38)
  }
}
