extension Profile {
  /// Whether some stacks end with the type of the objects that were allocated.
  public var hasObjectTypes: Bool { frames.contains { $0.kind == .objectType } }

  /// Returns this profile without the types of objects at the leaves of stacks.
  ///
  /// Rows and values stay as they are.
  public var withoutObjectTypes: Profile {
    guard hasObjectTypes else { return self }
    return replacingFrames { $0.kind == .objectType ? [] : [$0] }
  }

  /// For each stack the name of its objects' type; nil where none is known.
  var objectTypes: [String?] {
    stacks.frames.map { frame in
      guard frame >= 0, frames[Int(frame)].kind == .objectType else { return nil }
      return name(of: frames[Int(frame)])
    }
  }
}
