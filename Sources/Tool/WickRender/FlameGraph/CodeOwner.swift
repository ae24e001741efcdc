import WickProfile

/// Whose code a function is, as far as its name and module tell; decides its hue.
enum CodeOwner: Int, CaseIterable, Sendable {
  case application
  case swiftRuntime
  case library
  case kernel
  case unknown

  /// Judges a function.
  init(_ function: CallTree.Function) {
    let (name, module) = (function.name, function.module)
    if Self.isKernel(module) || name.hasSuffix("_[k]") {
      self = .kernel
    } else if Self.isUnnamed(name, module: module) {
      self = .unknown
    } else if Self.isSwiftRuntime(name, module: module) {
      self = .swiftRuntime
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
    case .swiftRuntime: "Swift runtime and libraries"
    case .library: "C libraries"
    case .kernel: "kernel"
    case .unknown: "unknown"
    }
  }

  private static func isKernel(_ module: String) -> Bool {
    // perf writes `[nf_conntrack]` for the kernel's modules, and alike for memory without a file.
    if module.hasPrefix("["), module.hasSuffix("]") {
      return !["[heap", "[stack", "[anon", "[uprobes]", "[unknown]"].contains {
        module.hasPrefix($0)
      }
    }
    return module == "vmlinux" || module.hasSuffix(".ko") || module.contains(".ko.")
  }

  /// An address in place of a name, or a bracketed remark such as `[truncated]`.
  private static func isUnnamed(_ name: String, module: String) -> Bool {
    if name.isEmpty || name.hasPrefix("0x") { return true }
    if name.hasPrefix("["), name.hasSuffix("]") { return true }
    return !module.isEmpty && name.hasPrefix("\(module)+0x")
  }

  private static func isSwiftRuntime(_ name: String, module: String) -> Bool {
    let modules = [
      "libswift", "libFoundation", "lib_Foundation", "libdispatch.so", "libBlocksRuntime.so",
      "lib_InternalSwift",
    ]
    // A static executable holds the runtime itself: there only the name tells.
    let names = [
      "swift_", "_swift_", "swift::", "Swift.", "_Concurrency.", "Foundation.",
      "FoundationEssentials.", "Dispatch.", "dispatch_", "_dispatch_",
    ]
    return modules.contains { module.hasPrefix($0) } || names.contains { name.hasPrefix($0) }
  }

  private static func isSharedObject(_ module: String) -> Bool {
    module.hasSuffix(".so") || module.contains(".so.")
  }
}
