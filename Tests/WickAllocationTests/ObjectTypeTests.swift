import Foundation
import Testing
import WickTestPrograms

/// Objects are named by what stands in them.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ObjectTypeTests {
  /// Compares with the truth of all types that begin with a prefix.
  ///
  /// `bases` names for a class the base whose destructor runs last: when memory is freed, it is that
  /// base that stands in it.
  private func check(
    _ way: AllocationRecording.Way, _ program: String, _ prefix: String, count: Int,
    bases: [String: String] = [:]
  ) throws {
    try Place.withFolder { folder in
      let recording = try AllocationRecording.make(way, program, ["\(count)"], folder: folder)
      try recording.expectComplete()
      let truth = recording.truth(prefix)
      try #require(truth.count >= 3, "\(recording.output)")
      let values = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]
      let found = try values.map { try recording.types($0) }
      for (type, numbers) in truth {
        let base = bases[type] ?? "none"
        let counted = found.map { ($0[type]?.total ?? 0) + ($0[base]?.total ?? 0) }
        #expect(counted == numbers, "\(way) \(type): \(values)")
        // What is live is whole.
        #expect(found.suffix(2).map { $0[type]?.total ?? 0 } == numbers.suffix(2), "\(type)")
      }
      let ours = found[0].keys.filter { $0.hasPrefix(prefix) }
      #expect(Set(ours).subtracting(bases.values) == Set(truth.map(\.name)))
    }
  }

  @Test(arguments: AllocationRecording.Way.allCases)
  func polymorphicClassesAreNamed(way: AllocationRecording.Way) throws {
    try check(
      way, try AllocationFixture.classesInCPlusPlus.get(), "shapes::", count: 10_000,
      bases: ["shapes::Label": "shapes::Named"])
  }

  @Test(arguments: AllocationRecording.Way.allCases)
  func swiftClassesAreNamed(way: AllocationRecording.Way) throws {
    try check(way, try AllocationFixture.classes.get(), "classes.", count: 10_000)
  }

  @Test(arguments: AllocationRecording.Way.allCases)
  func swiftClassesOfStaticProgramsAreNamed(way: AllocationRecording.Way) throws {
    try check(way, try AllocationFixture.staticClasses.get(), "classes.", count: 10_000)
    // Without symbols, generic arguments are not always known: the class is.
    try Place.withFolder { folder in
      let recording = try AllocationRecording.make(
        way, try AllocationFixture.strippedStaticClasses.get(), ["10000"], folder: folder)
      let found = try recording.types("alloc_objects")
      for (type, numbers) in recording.truth("classes.") {
        let name = type.prefix { $0 != "<" }
        let total = found.filter { $0.key.prefix { $0 != "<" } == name }.map(\.value.total)
        #expect(total.reduce(0, +) == numbers[0], "\(type)")
      }
    }
  }

  /// Blocks of C programs begin with anything: none is an object.
  @Test func blocksOfCHaveNoType() throws {
    try Place.withFolder { folder in
      let programs: [(String, [String])] = [
        (try AllocationFixture.known.get(), ["2", "20"]),
        (try AllocationFixture.race.get(), ["400000"]),
        (try AllocationFixture.hostile.get(), ["threads", "sizes"]),
        ("/usr/bin/python3", ["-c", "print(sum(len(str(n)) for n in range(200000)))"]),
      ]
      for (program, arguments) in programs where Place.has(program) {
        let recording = try AllocationRecording.make(
          .preloaded, program, arguments, folder: folder)
        let types = try recording.types("alloc_objects").keys.filter {
          $0 != "" && $0 != "[untyped]"
        }
        #expect(types.isEmpty, "\(program)")
      }
    }
  }
}
