import WickProfile

/// Whose code a function is, as far as its name and module tell; decides its hue.
enum CodeOwner: Int, CaseIterable, Sendable {
  case application
  case swiftRuntime
  case foundation
  case libc
  case library
  case kernel
  case jit
  case unknown
  /// Not code: a thread that stands below its stacks.
  case thread
  /// Not code: a process that stands below its stacks.
  case process
  /// Not code: the type of the objects that were allocated.
  case objectType

  /// Judges a function.
  init(_ function: CallTree.Function) {
    let (name, module) = (function.name, function.module)
    if module == Module.thread.path {
      self = .thread
    } else if module == Module.process.path {
      self = .process
    } else if module == Module.objectType.path {
      self = .objectType
    } else if Self.isJIT(module) || name.hasSuffix("_[j]") {
      self = .jit
    } else if Self.isKernel(module) || name.hasSuffix("_[k]") {
      self = .kernel
    } else if Self.isUnnamed(name, module: module) {
      self = .unknown
    } else if Self.isFoundation(name, module: module) {
      self = .foundation
    } else if Self.isSwiftRuntime(name, module: module) {
      self = .swiftRuntime
    } else if Self.isLibc(module) {
      self = .libc
    } else if Self.isSharedObject(module) {
      self = .library
    } else {
      self = .application
    }
  }

  /// What a legend calls it.
  var label: String {
    switch self {
    case .application: "application"
    case .swiftRuntime: "Swift runtime"
    case .foundation: "Foundation"
    case .libc: "libc"
    case .library: "libraries"
    case .kernel: "kernel"
    case .jit: "JIT"
    case .unknown: "unknown"
    case .thread: "threads"
    case .process: "processes"
    case .objectType: "types"
    }
  }

  /// Whether it is code, and no thread, process or type.
  var isCode: Bool { self != .thread && self != .process && self != .objectType }

  private static func isKernel(_ module: String) -> Bool {
    // Searching for a text takes its time, and folded stacks have no modules.
    if module.isEmpty { return false }
    // perf writes `[nf_conntrack]` for the kernel's modules, and alike for memory without a file.
    if module.hasPrefix("["), module.hasSuffix("]") {
      return !["[heap", "[stack", "[anon", "[uprobes]", "[unknown]"].contains {
        module.hasPrefix($0)
      }
    }
    return module == "vmlinux" || module.hasSuffix(".ko") || module.contains(".ko.")
  }

  private static func isJIT(_ module: String) -> Bool {
    module == "[jit]" || (module.hasPrefix("perf-") && module.hasSuffix(".map"))
      || module.hasPrefix("jitted-")
  }

  /// An address in place of a name, or a bracketed remark such as `[truncated]`.
  private static func isUnnamed(_ name: String, module: String) -> Bool {
    if name.isEmpty || name.hasPrefix("0x") { return true }
    if name.hasPrefix("["), name.hasSuffix("]") { return true }
    guard !module.isEmpty, name.hasPrefix(module) else { return false }
    return name.dropFirst(module.count).hasPrefix("+0x")
  }

  private static func isFoundation(_ name: String, module: String) -> Bool {
    // A static executable holds it: there only the name tells.
    let modules = ["libFoundation", "lib_Foundation"]
    let names = ["Foundation.", "FoundationEssentials.", "FoundationInternationalization."]
    return modules.contains { module.hasPrefix($0) } || names.contains { name.hasPrefix($0) }
  }

  private static func isSwiftRuntime(_ name: String, module: String) -> Bool {
    let modules = ["libswift", "libdispatch.so", "libBlocksRuntime.so", "lib_InternalSwift"]
    let names = [
      "swift_", "_swift_", "swift::", "Swift.", "_Concurrency.", "Dispatch.", "dispatch_",
      "_dispatch_",
    ]
    return modules.contains { module.hasPrefix($0) } || names.contains { name.hasPrefix($0) }
  }

  private static func isLibc(_ module: String) -> Bool {
    let modules = [
      "libc.so", "libc-2", "libm.so", "libm-2", "libpthread", "ld-linux", "ld-musl", "librt.so",
      "libdl.so",
    ]
    return modules.contains { module.hasPrefix($0) }
  }

  private static func isSharedObject(_ module: String) -> Bool {
    !module.isEmpty && (module.hasSuffix(".so") || module.contains(".so."))
  }
}
