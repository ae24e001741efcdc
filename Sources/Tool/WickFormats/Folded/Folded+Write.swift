public import WickProfile

extension Folded {
  /// Writes a column as folded stacks: each stack once, the lines in bytewise order.
  ///
  /// Frames are named as everywhere (`Profile.name(of:)`), with `;` written as `:` and control
  /// characters as `_`. Stacks of weight 0 are left out. If the profile holds several processes,
  /// each stack begins with its process as `name-pid`.
  ///
  /// - Parameters:
  ///   - profile: The profile.
  ///   - column: Index into `profile.valueTypes`.
  ///   - threads: Whether each stack has its thread, as `name-tid`, above its first function.
  ///   - marksInlined: Whether the names of inlined functions end with `_[i]`, as flame graph tools
  ///     know them.
  ///   - output: Receives the lines.
  public static func write(
    _ profile: Profile, column: Int = 0, threads: Bool = false, marksInlined: Bool = false,
    to output: inout some TextOutputStream
  ) {
    let tree = FoldedTree(
      profile, column: column, threads: threads, marksInlined: marksInlined)
    FoldedWriter(tree).write(to: &output)
  }
}
