// swift-tools-version: 6.3
import PackageDescription

// Targets stand in data-flow order: what runs in the profiled server, what both sides share, the
// tool. Every name carries the prefix because names must be unique in a user's package graph.

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// `Lifetimes` is experimental in name only: the standard library's own `Span` rests on it.
let library: [SwiftSetting] =
  strict + [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]

let c: [CSetting] = [
  .treatAllWarnings(as: .error), .enableWarning("all"), .enableWarning("extra"),
]

func tool(
  _ name: String, uses dependencies: [Target.Dependency] = [], links: [LinkerSetting] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/Tool/\(name)", swiftSettings: library,
    linkerSettings: links)
}

func tests(_ name: String, uses dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, path: "Tests/\(name)", exclude: [],
    swiftSettings: strict)
}

let package = Package(
  name: "Wick",
  products: [
    .library(name: "WickAgent", targets: ["WickAgent"]),
    .executable(name: "wick", targets: ["wick"]),
  ],
  targets: [
    // In the profiled process.
    .target(
      name: "CWickAgent", dependencies: ["CWickFormat"], path: "Sources/InProcess/CWickAgent",
      cSettings: c + [.define("_GNU_SOURCE")], plugins: ["WickAgentLibraryPlugin"]),
    .target(
      name: "WickAgent", dependencies: ["CWickAgent"], path: "Sources/InProcess/WickAgent",
      swiftSettings: library),
    .plugin(
      name: "WickAgentLibraryPlugin", capability: .buildTool(),
      path: "Sources/InProcess/AgentLibraryPlugin"),

    // On both sides.
    .target(name: "CWickFormat", path: "Sources/Shared/CWickFormat", cSettings: c),

    // In the tool.
    tool("WickProfile"),
    tool("WickRecording", uses: ["CWickFormat", "WickProfile"]),
    .systemLibrary(
      name: "CWickElf", path: "Sources/Tool/CWickElf", pkgConfig: "libelf",
      providers: [.apt(["libelf-dev"])]),
    .systemLibrary(
      name: "CWickCompression", path: "Sources/Tool/CWickCompression",
      providers: [.apt(["zlib1g-dev", "libzstd-dev", "liblzma-dev"])]),
    tool(
      "WickSymbols", uses: ["CWickCompression", "CWickElf", "WickProfile", "WickRecording"],
      links: [.linkedLibrary("stdc++")]),
    .systemLibrary(
      name: "CWickCapstone", path: "Sources/Tool/CWickCapstone", pkgConfig: "capstone",
      providers: [.apt(["libcapstone-dev"])]),
    tool("WickDisassembly", uses: ["CWickCapstone"]),
    tool("WickFormats", uses: ["WickProfile"]),
    .target(
      name: "CWickAssets", path: "Sources/Tool/CWickAssets",
      exclude: [
        "annotate.css", "flamegraph.css", "flamegraph.js", "flamegraph-draw.js",
        "flamegraph-explore.js", "flamegraph-tools.js", "flamegraph-tree.js",
      ], cSettings: c),
    .systemLibrary(
      name: "CWickDeflate", path: "Sources/Tool/CWickDeflate", pkgConfig: "libdeflate",
      providers: [.apt(["libdeflate-dev"])]),
    tool("WickRender", uses: ["CWickAssets", "CWickDeflate", "WickProfile"]),
    .target(
      name: "CWickKernel", path: "Sources/Tool/CWickKernel",
      cSettings: c + [.define("_GNU_SOURCE")]),
    .systemLibrary(
      name: "CWickUnwind", path: "Sources/Tool/CWickUnwind", providers: [.apt(["libunwind-dev"])]),
    tool(
      "WickTarget",
      uses: [
        "CWickFormat", "CWickKernel", "CWickUnwind", "WickProfile", "WickRecording", "WickSymbols",
      ]),
    .executableTarget(
      name: "wick",
      dependencies: [
        "CWickFormat", "CWickKernel", "WickProfile", "WickRecording", "WickSymbols",
        "WickDisassembly", "WickFormats", "WickRender", "WickTarget",
      ],
      path: "Sources/Tool/wick", swiftSettings: library),

    // Programs to profile.
    .systemLibrary(
      name: "CWickSampleEvent", path: "Samples/CWickSampleEvent", pkgConfig: "libevent",
      providers: [.apt(["libevent-dev"])]),
    .systemLibrary(
      name: "CWickSampleSQLite", path: "Samples/CWickSampleSQLite", pkgConfig: "sqlite3",
      providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CWickSampleMalloc", path: "Samples/CWickSampleMalloc"),
    .executableTarget(
      name: "WickBlogServer",
      dependencies: ["WickAgent", "CWickSampleEvent", "CWickSampleMalloc", "CWickSampleSQLite"],
      path: "Samples/BlogServer", swiftSettings: strict),
    .executableTarget(
      name: "WickKnownSplit", path: "Samples/KnownSplit",
      cSettings: c + [.define("_GNU_SOURCE")], linkerSettings: [.linkedLibrary("pthread")]),
    .executableTarget(
      name: "WickBenchmarks",
      dependencies: [
        "CWickAgent", "CWickBenchmark", "CWickFormat", "WickFormats", "WickProfile",
        "WickRecording", "WickSymbols",
      ],
      path: "Samples/Benchmarks", exclude: ["allocations.c", "python.sh"], swiftSettings: strict),
    .target(
      name: "CWickBenchmark", dependencies: ["CWickAgent", "CWickFormat"],
      path: "Samples/CWickBenchmark",
      cSettings: c + [
        .define("_GNU_SOURCE"),
        .headerSearchPath("../../Sources/InProcess/CWickAgent"),
        .headerSearchPath("../../Tests/Fixtures/Unwind"),
      ], linkerSettings: [.linkedLibrary("sqlite3")]),

    // One test target per folder, and a host that tests put the agent into.
    .executableTarget(
      name: "WickAgentProbe", path: "Tests/Fixtures/AgentProbe",
      cSettings: c + [.define("_GNU_SOURCE")]),
    .executableTarget(
      name: "WickLinkedProbe", dependencies: ["CWickAgent"], path: "Tests/Fixtures/LinkedProbe",
      cSettings: c + [.define("_GNU_SOURCE")]),
    .executableTarget(
      name: "WickCrashProbe", path: "Tests/Fixtures/CrashProbe", swiftSettings: strict),
    tests("WickProfileTests", uses: ["WickProfile"]),
    tests("WickRecordingTests", uses: ["WickRecording", "WickProfile", "CWickFormat"]),
    tests("WickSymbolsTests", uses: ["WickSymbols", "WickProfile"]),
    tests("WickDisassemblyTests", uses: ["WickDisassembly"]),
    tests("WickFormatsTests", uses: ["WickFormats", "WickProfile"]),
    tests("WickRenderTests", uses: ["WickRender", "WickProfile"]),
    tests(
      "WickTargetTests",
      uses: ["CWickFormat", "WickTarget", "WickProfile", "WickRecording", "WickSymbols"]),
    tests("WickCommandTests", uses: []),
    tests("WickAgentTests", uses: ["CWickAgent", "WickAgent"]),
    tests(
      "WickEndToEndTests", uses: ["WickProfile", "WickRecording", "WickSymbols", "WickFormats"]),
    .target(
      name: "WickTestPrograms", path: "Tests/WickTestPrograms", swiftSettings: strict),
    tests("WickAttachTests", uses: ["WickProfile", "WickRecording", "WickTestPrograms"]),
    tests("WickAllocationTests", uses: ["WickTestPrograms"]),
    // Runs the samples as programs, so it links none of them.
    tests("WickSampleTests", uses: []),
  ],
  cLanguageStandard: .c2x
)
