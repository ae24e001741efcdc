import WickProfile

@testable import WickRender

/// Profiles of lines, and what is made of them.
enum AnnotatedProfile {
  /// Stacks of lines of one file, root first, with their weights.
  static func lines(_ stacks: [([UInt32], Int64)], file: String = "/src/a.c") -> Profile {
    var profile = Profile(valueTypes: [.samples])
    for (lines, weight) in stacks {
      let node = lines.reduce(0) { parent, line in
        let frame = Frame(function: "f\(line / 100)", file: file, line: line)
        return profile.stack(parent: parent, frame: profile.intern(frame))
      }
      profile.add(Profile.Sample(stack: node), values: [weight])
    }
    return profile
  }

  static func text(_ lineCount: Int) -> SourceText {
    SourceText(Array((1...lineCount).map { "line \($0)\n" }.joined().utf8))
  }

  static func source(
    _ profile: Profile, file: String = "/src/a.c", text: SourceText?,
    extent: AnnotatedSource.Extent = .init(), newerThan: String? = nil
  ) -> AnnotatedSource {
    AnnotatedSource(
      SourceValues(profile, file: file), of: profile, text: text.map { (file, $0) },
      newerThan: newerThan, extent: extent)
  }

  /// A function inlined twice, called from two places, in a file with hostile text.
  static var inlined: Profile {
    var profile = Profile(valueTypes: [.samples])
    func frame(
      _ function: String, _ line: UInt32, isInlined: Bool = false, _ kind: Frame.Kind = .instruction
    ) -> Int {
      profile.intern(
        Frame(
          kind: kind, function: function, file: "/src/a.c", line: line, isInlined: isInlined))
    }
    func add(_ frames: [Int], _ weight: Int64) {
      let node = frames.reduce(0) { profile.stack(parent: $0, frame: $1) }
      profile.add(Profile.Sample(stack: node), values: [weight])
    }
    add([frame("main", 9), frame("outer", 6), frame("inner", 2, isInlined: true)], 6)
    add([frame("main", 9), frame("inner", 2)], 3)
    add([frame("main", 9)], 1)
    return profile
  }
}
