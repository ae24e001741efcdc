import Foundation
import Testing

/// Types of heap objects by their first word, against what the languages' own runtimes say, in
/// programs of `Tests/Fixtures/AllocationTypes` that link the agent's C files.
@Suite(.serialized) struct AllocationTypeTests {
  private static let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "WickAllocationTypes")
  private static let fixtures = UnwindProgram.root.appending(path: "Tests/Fixtures/AllocationTypes")

  /// The agent's part and `probe.c`, compiled once for all tests of a run.
  private static let archive: Result<String, any Error> = Result {
    let path = folder.appending(path: "libprobe.a").path
    let probe = fixtures.appending(path: "probe.c").path
    let objects = try compileObjects(of: agentSources() + [probe], flags: [])
    try? FileManager.default.removeItem(atPath: path)
    let result = try UnwindProgram.run("ar", ["rcs", path] + objects)
    guard result.status == 0 else { throw CompilationFailed(message: result.errors) }
    return path
  }

  private static let words: Result<String, any Error> = Result {
    try compileCpp("g++", ["-O2"], source: "words.cpp", product: "words")
  }

  private static let heapWords: Result<String, any Error> = Result {
    try compile(
      "clang",
      agentFlags + [
        "-shared", fixtures.appending(path: "heap-words.c").path, try archive.get(),
      ], product: "heap-words.so")
  }

  /// What finds types, and what that needs.
  private static func agentSources() throws -> [String] {
    try UnwindProgram.agentSources { name in
      ["allocation_type", "swift_", "unwind", "cfi", "images", "proc"].contains {
        name.hasPrefix($0)
      }
    }
  }

  private static func compileObjects(of sources: [String], flags: [String]) throws
    -> [String]
  {
    try sources.map { source in
      let name = URL(filePath: source).deletingPathExtension().lastPathComponent
      return try compile(
        "clang", agentFlags + flags + ["-c", source],
        product: "\(name)\(flags.isEmpty ? "" : "-checked").o")
    }
  }

  private struct CompilationFailed: Error {
    let message: String
  }

  private static let agentFlags =
    [
      "-std=c2x", "-D_GNU_SOURCE", "-O2", "-fPIC", "-Wall", "-Wextra", "-Werror",
    ]
    + [
      "Sources/InProcess/CWickAgent", "Sources/InProcess/CWickAgent/include",
      "Sources/Shared/CWickFormat/include",
    ].map { "-I\(UnwindProgram.root.appending(path: $0).path)" }

  private static let cppFlags = ["-std=c++20", "-Wall", "-Wextra", "-Werror"]

  private static func compile(_ compiler: String, _ arguments: [String], product: String) throws
    -> String
  {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.appending(path: product).path
    let result = try UnwindProgram.run(compiler, arguments + ["-o", path])
    guard result.status == 0 else { throw CompilationFailed(message: result.errors) }
    return path
  }

  private static func compileCpp(
    _ compiler: String, _ flags: [String], source: String, product: String
  ) throws -> String {
    try compile(
      compiler,
      cppFlags + flags + [
        "-I\(fixtures.path)", fixtures.appending(path: source).path, "-x", "none",
        try archive.get(), "-lpthread",
      ], product: product)
  }

  /// The lines of a program that prints what is true and what was found, without what Swift's runtime
  /// adds in parentheses.
  private func compare(_ program: String, leastCount: Int) throws {
    let output = try UnwindProgram.run(program, [])
    try #require(output.status == 0, "\(output.errors)")
    let lines = output.text.split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false)
    }
    for line in lines {
      try #require(line.count == 2)
      let truth = String(line[0])
        .replacing(#/\(unknown context at \$[0-9a-f]+\)\./#, with: "")
        .replacing(#/\(extension in \w+\):/#, with: "")
      #expect(truth == line[1])
    }
    #expect(lines.count >= leastCount)
  }

  @Test(arguments: [["-O"], ["-Onone"], ["-O", "-static-stdlib"]])
  func swiftObjectsAreNamedAsTheRuntimeNamesThem(flags: [String]) throws {
    let source = Self.fixtures.appending(path: "objects.swift").path
    let program = try Self.compile(
      "swiftc",
      flags + ["-parse-as-library", "-module-name", "objects", source, try Self.archive.get()],
      product: "objects-swift")
    try compare(program, leastCount: 85)
    #expect(try UnwindProgram.run("strip", ["--strip-all", program]).status == 0)
    try compare(program, leastCount: 85)
  }

  @Test(arguments: ["g++", "clang++"], [["-O2"], ["-O0", "-static"], ["-O2", "-no-pie"]])
  func cppObjectsAreNamedAsTypeidNamesThem(compiler: String, flags: [String]) throws {
    let program = try Self.compileCpp(
      compiler, flags, source: "objects.cpp", product: "objects-cpp")
    try compare(program, leastCount: 28)
  }

  @Test func cppObjectsWithoutTypeInfoHaveNoType() throws {
    let program = try Self.compileCpp(
      "g++", ["-O2", "-fno-rtti"], source: "objects.cpp", product: "objects-cpp-none")
    try compare(program, leastCount: 23)
  }

  @Test(arguments: [
    (
      "python",
      [
        "python3", "-c",
        "import json, decimal, email; a = [{'k': [i, str(i), decimal.Decimal(i)]} for i in range(9999)]",
      ], 50_000
    ),
    ("cc1", ["gcc", "-O2", "-fsyntax-only", "-x", "c", "/usr/include/stdlib.h"], 2000),
    ("perl", ["perl", "-e", "my %h; $h{$_} = [1, $_] for 1..20000;"], 50_000),
  ])
  func noWordOfAProgramInCIsAType(program: String, command: [String], leastCount: Int) throws {
    let library = try Self.heapWords.get()
    let output = try UnwindProgram.run(
      "env", ["LD_PRELOAD=\(library)", "PROBE_PROGRAM=\(program)"] + command)
    #expect(output.status == 0)
    let words = output.errors.split(separator: "\n").last?.split(separator: " ") ?? []
    try #require(words.count == 4, "\(output.errors)")
    #expect(try #require(Int(words[1])) >= leastCount)
    #expect(words[3] == "0", "\(output.errors)")
  }

  /// That the search above finds types where there are some.
  @Test func wordsOfAProgramInCppAreTypes() throws {
    let program = try Self.compileCpp(
      "g++", ["-O2"], source: "objects.cpp", product: "objects-cpp-words")
    let output = try UnwindProgram.run(
      "env", ["LD_PRELOAD=\(try Self.heapWords.get())", "PROBE_PROGRAM=objects-cpp-words", program])
    #expect(output.errors.contains("type 3 N3app4NodeE\n"))
  }

  @Test(arguments: ["threads", "crowd", "again", "filtered"])
  func tableOfWords(mode: String) throws {
    let output = try UnwindProgram.run(try Self.words.get(), [mode])
    guard output.status != 77 else {
      print("no seccomp filter can be put in force here: reading through /proc is not tested")
      return
    }
    #expect(output.status == 0, "\(output.errors)")
    #expect(!output.text.isEmpty)
  }

  /// ThreadSanitizer knows what is ordered by what; Swift's copy of it needs libdispatch.
  @Test func tableIsFreeOfRaces() throws {
    let probe = Self.fixtures.appending(path: "probe.c").path
    let objects = try Self.compileObjects(
      of: Self.agentSources() + [probe], flags: ["-fsanitize=thread"])
    let info = try UnwindProgram.run("swiftc", ["-print-target-info"]).text
    let runtime = try #require(info.firstMatch(of: #/"runtimeLibraryPaths": \[\s*"([^"]+)"/#)?.1)
    let program = try Self.compile(
      "clang++",
      Self.cppFlags + ["-fsanitize=thread", "-O1", "-g", "-I\(Self.fixtures.path)"]
        + [Self.fixtures.appending(path: "words.cpp").path] + objects + [
          "-L\(runtime)", "-ldispatch", "-lBlocksRuntime", "-Wl,-rpath,\(runtime)",
        ], product: "words-threads")
    let output = try UnwindProgram.run(program, ["threads", "100000"])
    #expect(output.status == 0, "\(output.errors)")
    #expect(output.text.hasPrefix("known "))
  }

  @Test func typesOfModulesThatGoAreForgotten() throws {
    let source = Self.fixtures.appending(path: "library.cpp").path
    let libraries = try ["First", "Second"].map {
      try Self.compile(
        "g++", Self.cppFlags + ["-O2", "-fPIC", "-shared", "-DNAME=\($0)", source],
        product: "\($0).so")
    }
    let output = try UnwindProgram.run(try Self.words.get(), ["unload"] + libraries)
    #expect(output.status == 0, "\(output.errors)")
    #expect(output.text.hasPrefix("same place"))
  }

  @Test func damagedMetadataDoesNoHarm() throws {
    let source = Self.fixtures.appending(path: "mutate.c").path
    let program = try Self.compile(
      "clang",
      Self.agentFlags + ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", source]
        + Self.agentSources(), product: "mutate")
    let output = try UnwindProgram.run(program, ["5000"])
    #expect(output.status == 0, "\(output.errors)")
    let lines = output.text.split(separator: "\n")
    #expect(lines.first == "1 1 Foundation.Data.C<Foundation.Data.C<Foundation.Data.C<Founda")
    #expect(lines.last?.hasPrefix("mutations 5000 named ") == true)
  }
}
