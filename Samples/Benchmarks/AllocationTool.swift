import Foundation

/// Who watches the allocations of a program, and how.
enum AllocationTool: String, CaseIterable {
  case none = "plain"
  case sampled = "Wick, every 512 KiB"
  case exact = "Wick, all"
  case exactPatched = "Wick, all, hooks by GOT"
  case noneWithoutFramePointers = "plain, no frame pointers"
  case exactWithoutFramePointers = "Wick, all, no frame pointers"
  case noneOneStack = "plain, one stack"
  case exactOneStack = "Wick, all, one stack"
  case heaptrackOneStack = "heaptrack, one stack"
  case heaptrack = "heaptrack"
  case tcmalloc = "tcmalloc"
  case tcmallocProfile = "tcmalloc, HEAPPROFILE"
  case dhat = "valgrind --tool=dhat"

  /// What its cost is added to.
  var base: AllocationTool {
    switch self {
    case .exactWithoutFramePointers, .noneWithoutFramePointers: .noneWithoutFramePointers
    case .noneOneStack, .exactOneStack, .heaptrackOneStack: .noneOneStack
    case .tcmallocProfile, .tcmalloc: .tcmalloc
    default: .none
    }
  }

  var hasFramePointers: Bool { base != .noneWithoutFramePointers }
  /// Whether all allocations have the same 20 frames; else the stacks are many, and change all the time.
  var hasOneStack: Bool { base == .noneOneStack }

  /// As many pairs per thread as take a second or two.
  var pairCount: Int {
    switch self {
    case .none, .noneWithoutFramePointers, .noneOneStack, .tcmalloc, .sampled: 16_000_000
    case .exact, .exactPatched, .exactWithoutFramePointers, .exactOneStack: 8_000_000
    case .heaptrack, .heaptrackOneStack: 1_500_000
    case .tcmallocProfile: 40_000
    case .dhat: 300_000
    }
  }

  /// The most that issue 7 allows of added nanoseconds per pair.
  var target: Double? {
    switch self {
    case .sampled: 5
    case .exact, .exactPatched, .exactOneStack: 60
    case .exactWithoutFramePointers: 200
    default: nil
    }
  }

  /// Where Debian puts the allocator of gperftools.
  private static let tcmallocLibrary = "/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4"

  private static func library(_ name: String) -> String {
    LoadedServer.products.appending(path: "Wick_CWickAgent.resources/\(name)").path
  }

  /// What must be there for it, that is not.
  var missing: String? {
    let needed: String? =
      switch self {
      case .none, .noneWithoutFramePointers, .noneOneStack: nil
      case .sampled, .exact, .exactWithoutFramePointers, .exactOneStack:
        Self.library("libwick-malloc.so")
      case .exactPatched: Self.library("libwick.so")
      case .heaptrack, .heaptrackOneStack: "/usr/bin/heaptrack"
      case .tcmalloc, .tcmallocProfile: Self.tcmallocLibrary
      case .dhat: "/usr/bin/valgrind"
      }
    return needed.flatMap { FileManager.default.fileExists(atPath: $0) ? nil : $0 }
  }

  /// The words before a program's, for `env`; what it records goes into the folder.
  func prefix(folder: String) -> [String] {
    func wick(_ library: String, _ interval: String) -> [String] {
      ["LD_PRELOAD=\(Self.library(library))", "WICK=out=\(folder)/wick.wick,alloc=\(interval)"]
    }
    return switch self {
    case .none, .noneWithoutFramePointers, .noneOneStack: []
    case .sampled: wick("libwick-malloc.so", "524288")
    case .exact, .exactWithoutFramePointers, .exactOneStack: wick("libwick-malloc.so", "all")
    case .exactPatched: wick("libwick.so", "all")
    case .heaptrack, .heaptrackOneStack: ["heaptrack", "-o", "\(folder)/heaptrack"]
    case .tcmalloc: ["LD_PRELOAD=\(Self.tcmallocLibrary)"]
    case .tcmallocProfile:
      ["LD_PRELOAD=\(Self.tcmallocLibrary)", "HEAPPROFILE=\(folder)/tcmalloc"]
    case .dhat: ["valgrind", "--tool=dhat", "--dhat-out-file=\(folder)/dhat"]
    }
  }

  var recordsFile: Bool { self != base }
}
