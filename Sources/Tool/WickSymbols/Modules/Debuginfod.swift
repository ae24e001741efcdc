internal import Glibc

/// Files by build-id from the servers that `DEBUGINFOD_URLS` names; nobody else is ever asked.
///
/// The library of elfutils does it (libdebuginfod.so.1, debuginfod_find_debuginfo(3)), which keeps
/// what it got in its own cache and obeys its other variables, as `DEBUGINFOD_TIMEOUT`.
struct Debuginfod: Sendable {
  /// What is wanted.
  enum Wanted: String {
    /// The separate debug file.
    case debugInformation = "debuginfod_find_debuginfo"
    /// The program or library itself.
    case executable = "debuginfod_find_executable"
  }

  /// What came of a request.
  enum Answer: Equatable {
    /// Where the file is.
    case path(String)
    /// No server has it.
    case none
    /// The servers could not be asked.
    case failed(reason: String)
  }

  /// The user's servers; nil if there are none.
  static func ofUser() -> Debuginfod? {
    guard let value = unsafe getenv("DEBUGINFOD_URLS"), unsafe value.pointee != 0 else {
      return nil
    }
    return Debuginfod()
  }

  private typealias Begin = @convention(c) () -> OpaquePointer?
  private typealias End = @convention(c) (OpaquePointer?) -> Void
  private typealias Find =
    @convention(c) (
      OpaquePointer?, UnsafePointer<UInt8>?, Int32,
      UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> Int32

  /// Asks for a file and waits for it.
  func find(_ wanted: Wanted, buildID: [UInt8]) -> Answer {
    // It stays: its own libraries do not like to be unloaded.
    guard let library = unsafe dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL),
      let begin = unsafe dlsym(library, "debuginfod_begin"),
      let end = unsafe dlsym(library, "debuginfod_end"),
      let find = unsafe dlsym(library, wanted.rawValue)
    else {
      return .failed(reason: "libdebuginfod.so.1 is missing; install libdebuginfod1")
    }
    guard let client = unsafe unsafeBitCast(begin, to: Begin.self)() else {
      return .failed(reason: "libdebuginfod does not start")
    }
    defer { unsafe unsafeBitCast(end, to: End.self)(client) }
    var path: UnsafeMutablePointer<CChar>?
    let result = unsafe unsafeBitCast(find, to: Find.self)(
      client, buildID, Int32(buildID.count), &path)
    defer { unsafe free(path) }
    guard result >= 0 else {
      if result == -ENOENT { return .none }
      return .failed(reason: unsafe String(cString: strerror(-result)))
    }
    close(result)
    guard let path = unsafe path else { return .none }
    return .path(unsafe String(cString: path))
  }
}
