import Foundation
import Testing
import WickTestPrograms

/// Objects are named by what stands in them.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ObjectTypeTests {
  /// What there is to say of a type.
  private func check(
    _ way: AllocationRecording.Way, _ program: String, _ prefix: String, count: Int
  ) throws {
    try Place.withFolder { folder in
      let recording = try AllocationRecording.make(way, program, ["\(count)"], folder: folder)
      try recording.expectComplete()
      let truth = recording.truth(prefix)
      try #require(truth.count >= 3, "\(recording.output)")
      let values = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]
      let found = try values.map { try recording.types($0) }
      for (type, numbers) in truth {
        #expect(found.map { $0[type]?.total ?? 0 } == numbers, "\(way) \(type): \(values)")
      }
      let ours = found[0].keys.filter { $0.hasPrefix(prefix) }
      #expect(Set(ours) == Set(truth.map(\.name)))
    }
  }

  @Test(arguments: AllocationRecording.Way.allCases)
  func polymorphicClassesAreNamed(way: AllocationRecording.Way) throws {
    try check(way, try AllocationFixture.classesInCPlusPlus.get(), "shapes::", count: 10_000)
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
