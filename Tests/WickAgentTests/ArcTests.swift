import Foundation
import Testing

/// The hooks on retain and release, in Swift programs and before runtimes that are none.
@Suite(.serialized) struct ArcTests {
  private static let fixtures = UnwindProgram.root.appending(path: "Tests/Fixtures/Arc").path
  private static let compiler = [
    "clang", "-std=c2x", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror",
    "-I\(UnwindProgram.root.path)/Sources/InProcess/CWickAgent",
    "-I\(UnwindProgram.root.path)/Sources/InProcess/CWickAgent/include",
    "-I\(UnwindProgram.root.path)/Sources/Shared/CWickFormat/include",
  ]

  /// How the Swift program got its runtime, and how the agent's code got into it.
  enum Build: String, CaseIterable {
    case dynamic, `static`, stripped
    /// Built as for libwick.so, and as for a program that links the agent.
    case linkedDynamic, linkedStripped

    var isLinked: Bool { self == .linkedDynamic || self == .linkedStripped }
    var isDynamic: Bool { self == .dynamic || self == .linkedDynamic }
    var isStripped: Bool { self == .stripped || self == .linkedStripped }
  }

  private static let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "WickArc")

  private static func path(_ name: String) throws -> String {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder.appending(path: name).path
  }

  private static func run(_ command: [String]) throws {
    let result = try UnwindProgram.run(command[0], Array(command.dropFirst()))
    try #require(result.status == 0, "\(result.errors)")
  }

  private static func sources() throws -> [String] {
    try UnwindProgram.agentSources { name in
      ["arc_", "elf_symbols", "images", "cfi", "unwind"].contains { name.hasPrefix($0) }
    }
  }

  /// The agent's part and its observer, as for libwick.so and as for a program that links the agent;
  /// all programs are compiled once for all tests of a run.
  private static let preloadedObjects = Result { try objects("preloaded", ["-DWICK_PRELOAD=1"]) }
  private static let linkedObjects = Result { try objects("linked", []) }

  private static func objects(_ name: String, _ flags: [String]) throws -> [String] {
    try (try sources() + ["\(fixtures)/observer.c"]).enumerated().map { index, source in
      let object = try path("\(name)-\(index).o")
      try run(
        compiler + ["-fPIC", "-fvisibility=hidden", "-c", source, "-o", object] + flags)
      return object
    }
  }

  private static let traffic: [Build: Result<String, any Error>] = Dictionary(
    uniqueKeysWithValues: Build.allCases.filter { !$0.isStripped || $0.isLinked }.map { build in
      (build, Result { try compileTraffic(build) })
    })

  /// Compiles `traffic.swift`; the unwinder that ours is compared with needs -g for its tables.
  private static func compileTraffic(_ build: Build) throws -> String {
    let program = try path("traffic-\(build)")
    try run(
      [
        "swiftc", "-O", "-g", "-swift-version", "6", "-warnings-as-errors", "-module-name",
        "traffic", "\(fixtures)/traffic.swift", "-import-objc-header",
        "\(fixtures)/observer.h",
      ] + (build.isDynamic ? [] : ["-static-stdlib"])
        + (try (build.isLinked ? linkedObjects : preloadedObjects).get()) + ["-o", program])
    if build.isStripped { try run(["strip", program]) }
    return program
  }

  private func traffic(_ build: Build) throws -> String {
    guard build == .stripped else { return try #require(Self.traffic[build]).get() }
    let program = try Self.path("traffic-stripped")
    try Self.run(["strip", "-o", program, try traffic(.static)])
    return program
  }

  @Test(arguments: Build.allCases) func countsAreThoseOfTheProgram(build: Build) throws {
    #if arch(x86_64)
      let output = try UnwindProgram.run(try traffic(build), ["counts"])
      #expect(output.status == 0, "\(output.errors)")
      guard build != .stripped else {
        #expect(output.text == "state 1\n")  // WICK_ARC_NO_RUNTIME
        return
      }
      // 1000 by one, 3 at once, one tried; each append takes one, and the end of the array gives it
      // back; each branch takes one of its leaf, and gives it back as it goes.
      #expect(
        output.text == """
          taken 1004
          Branch 1004 1004
          Branch 1004 1004
          Leaf 500 0
          Leaf 800 800
          Branch 1004 1304
          same true 600 n1000000000000
          stacks true 0 0

          """)
    #endif
  }

  /// 4 threads and the tasks' work with strings whose words are no objects, and with objects.
  @Test(arguments: [Build.dynamic, .static]) func switchingUnderLoadDoesNoHarm(build: Build) throws
  {
    #if arch(x86_64)
      let output = try UnwindProgram.run(try traffic(build), ["toggle", "10000"])
      #expect(output.status == 0, "\(output.errors)")
      #expect(
        output.text == """
          toggled 10000 refused 0 wrong 0 worked true
          same true true seen true registers 0
          ok 2499500000

          """)
    #endif
  }

  /// A runtime of our own making, and what must come of asking for hooks.
  enum Doctored: String, CaseIterable {
    case good = "GOOD"
    case crashes = "CRASHES"
    case hangs = "HANGS"
    case forgets = "FORGETS"
    case otherAdapter = "OTHER_ADAPTER"
    case noFlag = "NO_FLAG"
    case taken = "TAKEN"
    case flagOn = "FLAG_ON"

    /// `wick_arc_state` by number.
    var state: Int {
      switch self {
      case .good: 0
      case .crashes, .hangs, .forgets: 3
      case .otherAdapter, .noFlag, .taken, .flagOn: 2
      }
    }

    /// The flag afterwards; -1: it has none.
    var flag: Int { self == .noFlag ? -1 : self == .flagOn ? 1 : 0 }
  }

  /// The C host.
  private static let host = Result {
    let program = try path("host")
    try run(
      compiler + ["-DWICK_PRELOAD=1", "\(fixtures)/host.c"] + sources() + ["-o", program])
    return program
  }

  private func library(_ doctored: Doctored, name: String = "doctored.so") throws -> String {
    let path = try Self.path(name)
    try Self.run(
      Self.compiler + [
        "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,-Bsymbolic",
        "-DSPOILT=\(doctored.rawValue)", "\(Self.fixtures)/doctored.c", "-o", path,
      ])
    return path
  }

  @Test(arguments: Doctored.allCases) func trialKeepsHarmFromTheHost(doctored: Doctored) throws {
    #if arch(x86_64)
      let host = try Self.host.get()
      let library = try library(doctored)
      for arguments in [[library], [library, "ignore"]] {
        let output = try UnwindProgram.run(host, arguments)
        #expect(output.status == 0, "\(output.errors)")
        let isOn = doctored.state == 0
        // One retain while on, with another in the observer; one release while off. Else the place
        // is as it was.
        #expect(
          output.text == """
            state \(doctored.state)
            signals 0 mask 0 descriptors 0
            seen \(isOn ? 1 : 0) 0 lost \(isOn ? 1 : 0) references 3 other \(isOn ? 1 : 0)
            flag \(doctored.flag) own \(isOn ? 0 : 1)
            waited 1 more 0

            """)
      }
    #endif
  }

  /// As of an interpreter that loads a Swift module.
  @Test func libraryThatOnlyItsLoaderSeesIsFound() throws {
    #if arch(x86_64)
      let output = try UnwindProgram.run(
        try Self.host.get(), [try library(.good, name: "libswiftCore.so")])
      #expect(output.text.hasPrefix("state 0\n"), "\(output.text)\(output.errors)")
    #endif
  }

  @Test func programWithoutSwiftHasNoRuntime() throws {
    let output = try UnwindProgram.run(try Self.host.get(), [])
    #if arch(x86_64)
      let state = 1
    #else
      let state = 4
    #endif
    #expect(
      output.text == "state \(state)\nsignals 0 mask 0 descriptors 0\nwaited 1 more 0\n")
  }

  @Test func damagedFilesHaveNoSymbols() throws {
    let program = try Self.path("elf-damage")
    let agent = UnwindProgram.root.appending(path: "Sources/InProcess/CWickAgent").path
    try Self.run(
      Self.compiler + [
        "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
        "\(Self.fixtures)/elf-damage.c", "\(agent)/elf_symbols.c", "-o", program,
      ])
    let output = try UnwindProgram.run(program, [try Self.path("copy"), "500"])
    #expect(output.status == 0, "\(output.errors)")
    #expect(output.text == "whole 1 missing 0 folder 0\ncut 0\ndamaged 1\n")
  }
}
