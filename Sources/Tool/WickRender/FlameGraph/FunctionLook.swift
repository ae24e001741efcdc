import WickProfile

/// How a function is shown: whose it is, where it is, and its color.
struct FunctionLook {
  /// From 1, index into the names of modules; 0 for none.
  var module: Int
  var owner: CodeOwner
  /// From 1, index into the names of files; 0 for none.
  var file: Int
  /// Its hottest line; 0 where that is not known.
  var line: UInt32
  var color: FrameColor
}

/// The functions of a graph with the names that they refer to.
struct FunctionLooks {
  private(set) var looks: [FunctionLook] = []
  private(set) var modules: [String] = []
  private(set) var files: [String] = []

  /// Looks at the functions of `paths`, which were merged from `profile`.
  init(_ paths: CallPaths, of profile: Profile, column: Int, palette: Palette) {
    let lines = Self.hottestLines(profile, column: column)
    var moduleIDs: [String: Int] = [:]
    var fileIDs: [String: Int] = [:]
    for function in paths.functions {
      let owner = CodeOwner(function)
      let line = lines[function]
      looks.append(
        FunctionLook(
          module: Self.intern(owner.isCode ? function.module : "", &moduleIDs, &modules),
          owner: owner,
          file: Self.intern(line?.file ?? "", &fileIDs, &files), line: line?.line ?? 0,
          color: palette.color(of: function.name, owner: owner)))
    }
  }

  private static func intern(
    _ name: String, _ ids: inout [String: Int], _ names: inout [String]
  ) -> Int {
    guard !name.isEmpty else { return 0 }
    if let known = ids[name] { return known }
    names.append(name)
    ids[name] = names.count
    return names.count
  }

  /// For each function the line in it that is on the stacks of the most value.
  private static func hottestLines(
    _ profile: Profile, column: Int
  ) -> [CallTree.Function: SourceLine] {
    guard profile.frames.contains(where: { $0.file != nil }) else { return [:] }
    let sums = FrameGroups(
      profile, columns: [column], groups: Array(profile.frames.indices),
      count: profile.frames.count)
    var hottest: [CallTree.Function: (value: Int64, line: SourceLine)] = [:]
    for (index, frame) in profile.frames.enumerated() where frame.file != nil {
      let module = frame.module.map { String(profile.modules[$0].name) } ?? ""
      let function = CallTree.Function(name: profile.name(of: frame), module: module)
      let (value, line) = (sums.totalValues[0][index], SourceLine(frame))
      // Of equal ones the first line.
      if let known = hottest[function],
        known.value > value || (known.value == value && known.line < line)
      {
        continue
      }
      hottest[function] = (value, line)
    }
    return hottest.mapValues(\.line)
  }
}
