import WickProfile

extension Profile {
  /// Adds a stack of frames as a symbolicated recording has them, root first.
  mutating func add(_ frames: [Frame], _ values: Int64...) {
    let node = frames.reduce(0) { stack(parent: $0, frame: intern($1)) }
    add(Sample(stack: node), values: values)
  }
}

extension Frame {
  /// A frame of a function at `file:line`.
  static func at(
    _ function: String, _ file: String?, _ line: UInt32, address: UInt64? = nil,
    kind: Kind = .returnAddress, isInlined: Bool = false
  ) -> Frame {
    Frame(
      kind: kind, module: address == nil ? nil : 0, address: address, function: function,
      file: file, line: line, isInlined: isInlined)
  }
}
