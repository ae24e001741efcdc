/// The text of a source file, by lines.
public struct SourceText: Sendable {
  /// More characters of a line than this are not shown.
  private static let characterLimit = 1000
  /// As terminals have it, and as sources that mix tabs and spaces mean it.
  private static let tabWidth = 8

  private let bytes: [UInt8]
  /// Where each line begins.
  private var starts: [Int] = []

  /// Splits a file at its newlines; what is not UTF-8 is repaired.
  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var start = 0
    while start < bytes.count {
      starts.append(start)
      start = (bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count - 1) + 1
    }
  }

  /// Number of lines.
  public var lineCount: Int { starts.count }

  /// A line without its end, tabs widened; nil behind the last.
  ///
  /// - Parameter number: From 1.
  /// - Returns: The text, with whatever characters the file has.
  func line(_ number: UInt32) -> String? {
    guard number > 0, Int(number) <= starts.count else { return nil }
    let start = starts[Int(number) - 1]
    var end = Int(number) < starts.count ? starts[Int(number)] : bytes.count
    if end > start, bytes[end - 1] == UInt8(ascii: "\n") { end -= 1 }
    if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    // No character has more than four bytes.
    let cut = min(end, start + 4 * Self.characterLimit)
    var text = ""
    var column = 0
    for scalar in String(decoding: bytes[start..<cut], as: UTF8.self).unicodeScalars {
      guard column < Self.characterLimit else { break }
      if scalar == "\t" {
        let width = Self.tabWidth - column % Self.tabWidth
        text += String(repeating: " ", count: width)
        column += width
      } else {
        text.unicodeScalars.append(scalar)
        column += 1
      }
    }
    return cut < end || column >= Self.characterLimit ? text + "…" : text
  }
}
