/// An sRGB color, a pure function of a function's name and owner.
///
/// The owner gives the two ends of a range of hues, the name's hash a place between them: so a
/// function has the same color in every picture. All of them are light enough for dark labels.
struct FrameColor: Hashable, Sendable {
  let red: Int
  let green: Int
  let blue: Int

  /// The color of the box below all functions.
  static let root = FrameColor(red: 0xe8, green: 0xe2, blue: 0xd7)

  /// The color of a name.
  init(name: String, owner: CodeOwner) {
    // FNV-1a; the end of a short name reaches the low bits only, so they are folded with the high.
    var hash: UInt32 = 0x811c_9dc5
    for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
    self.init(owner: owner, hue: Int((hash >> 16 ^ hash) & 0xff), shade: Int(hash >> 8 & 0xff))
  }

  /// The color in the middle of an owner's range.
  init(middleOf owner: CodeOwner) {
    self.init(owner: owner, hue: 128, shade: 128)
  }

  private init(red: Int, green: Int, blue: Int) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  private init(owner: CodeOwner, hue: Int, shade: Int) {
    let ends = Self.ends(of: owner)
    func mix(_ shift: Int) -> Int {
      let (from, to) = (ends.0 >> shift & 0xff, ends.1 >> shift & 0xff)
      return min(from + (to - from) * hue / 255 + (shade - 128) * 6 / 128, 255)
    }
    (red, green, blue) = (mix(16), mix(8), mix(0))
  }

  private static func ends(of owner: CodeOwner) -> (Int, Int) {
    switch owner {
    case .application: (0xf6cf80, 0xee9c74)
    case .swiftRuntime: (0xecbccb, 0xd6a5cf)
    case .library: (0xc3dda2, 0x97ccb4)
    case .kernel: (0xabcdea, 0xa0b2e2)
    case .unknown: (0xd9d6d0, 0xc6c5c4)
    }
  }

  /// The color as CSS and SVG write it.
  var hex: String {
    "#"
      + [red, green, blue].map { $0 < 16 ? "0\(String($0, radix: 16))" : String($0, radix: 16) }
      .joined()
  }
}
