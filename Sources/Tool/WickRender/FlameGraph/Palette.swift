/// What decides the color of a box.
public enum Palette: String, CaseIterable, Sendable {
  /// Whose code it is: the hue tells the kind of module.
  case owner
  // The palettes that flame graph users know, by hue.
  case hot, mem, io, red, green, blue, yellow, purple, aqua, orange

  /// Whether colors say whose code a box is.
  var tellsOwner: Bool { self == .owner }

  /// The color of a function, process or thread: the same in every picture.
  func color(of name: String, owner: CodeOwner) -> FrameColor {
    guard let ends, owner.isCode else { return FrameColor(name: name, owner: owner) }
    return FrameColor(name: name, between: ends.0, ends.1)
  }

  /// The ends of the range as 0xRRGGBB, light enough for dark labels at both.
  private var ends: (Int, Int)? {
    switch self {
    case .owner: nil
    case .hot: (0xf9d976, 0xf08660)
    case .mem: (0x8fe3a8, 0x9fd8e6)
    case .io: (0xa9b4f0, 0xa6d4f2)
    case .red: (0xf6a9a0, 0xee8f86)
    case .green: (0x9fdf9a, 0xb9e8a4)
    case .blue: (0xa9c4f2, 0x9fd0ee)
    case .yellow: (0xe9dc7c, 0xe0c96a)
    case .purple: (0xd3b0ef, 0xe7b4e4)
    case .aqua: (0x8fdcd6, 0xa8e4e4)
    case .orange: (0xf3b877, 0xeea05c)
    }
  }
}
