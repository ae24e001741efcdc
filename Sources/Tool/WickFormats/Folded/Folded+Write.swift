public import WickProfile

extension Folded {
  /// Writes a column as folded stacks: each stack once, the lines in bytewise order.
  ///
  /// Frames are named as everywhere (`Profile.name(of:)`), with `;` written as `:` and control
  /// characters as `_`. Stacks of weight 0 are left out.
  ///
  /// - Parameters:
  ///   - profile: The profile.
  ///   - column: Index into `profile.valueTypes`.
  ///   - marksInlined: Whether the names of inlined functions end with `_[i]`, as flame graph tools
  ///     know them.
  ///   - output: Receives the lines.
  public static func write(
    _ profile: Profile, column: Int = 0, marksInlined: Bool = false,
    to output: inout some TextOutputStream
  ) {
    FoldedWriter(FoldedTree(profile, column: column, marksInlined: marksInlined))
      .write(to: &output)
  }
}
