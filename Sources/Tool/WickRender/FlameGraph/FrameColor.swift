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
    self.init(name: name, between: Self.ends(of: owner).0, Self.ends(of: owner).1)
  }

  /// The color of a name, between two as 0xRRGGBB.
  init(name: String, between start: Int, _ end: Int) {
    // FNV-1a; the end of a short name reaches the low bits only, so they are folded with the high.
    var hash: UInt32 = 0x811c_9dc5
    for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
    self.init(
      between: (start, end), hue: Int((hash >> 16 ^ hash) & 0xff), shade: Int(hash >> 8 & 0xff))
  }

  /// The color in the middle of an owner's range.
  init(middleOf owner: CodeOwner) {
    self.init(between: Self.ends(of: owner), hue: 128, shade: 128)
  }

  /// A color of these parts, each from 0 to 255.
  init(red: Int, green: Int, blue: Int) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  private init(between ends: (Int, Int), hue: Int, shade: Int) {
    func mix(_ shift: Int) -> Int {
      let (from, to) = (ends.0 >> shift & 0xff, ends.1 >> shift & 0xff)
      return min(from + (to - from) * hue / 255 + (shade - 128) * 6 / 128, 255)
    }
    (red, green, blue) = (mix(16), mix(8), mix(0))
  }

  private static func ends(of owner: CodeOwner) -> (Int, Int) {
    switch owner {
    case .application: (0xf6cf80, 0xee9c74)
    case .swiftRuntime: (0xecbccb, 0xe3a6bd)
    case .foundation: (0xd9b6e6, 0xc5a5e0)
    case .libc: (0xd8e08e, 0xc0d586)
    case .library: (0xa8dcae, 0x93cfc0)
    case .kernel: (0xabcdea, 0xa0b2e2)
    case .jit: (0x8edbe4, 0x9fe3d8)
    case .unknown: (0xd9d6d0, 0xc6c5c4)
    case .thread: (0xe8e2d7, 0xdcd6ca)
    case .process: (0xd4dae2, 0xc3ccd9)
    case .objectType: (0xf3e08a, 0xe5cf6b)
    }
  }

  /// The color as CSS and SVG write it.
  var hex: String {
    "#"
      + [red, green, blue].map { $0 < 16 ? "0\(String($0, radix: 16))" : String($0, radix: 16) }
      .joined()
  }
}
