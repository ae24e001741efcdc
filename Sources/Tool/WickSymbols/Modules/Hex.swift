/// Bytes and addresses as people read them.
enum Hex {
  /// Two lower-case digits a byte.
  static func string(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// With `0x`, without leading zeros.
  static func address(_ address: UInt64) -> String { "0x" + String(address, radix: 16) }
}
