internal import CWickUnwind
internal import Glibc

/// Where a thread that never waits can be entered: in code that is none of malloc's, the loader's or
/// the C library's, and in no signal handler, which may have interrupted those.
struct SteppingPlaces {
  private let pid: Int32
  private let map: MemoryMap
  private let code: LoadedCode
  /// Whether the program itself has a malloc, so that its own code may be that.
  private let hasOwnAllocator: Bool

  /// Libraries in which, or below which, a lock may be held that `dlopen` needs.
  private static let lockingLibraries = [
    "ld-", "ld.", "libc.", "libc-", "libdl", "libpthread", "libstdc++", "libgcc_s", "libjemalloc",
    "libtcmalloc", "libmimalloc", "libwick", "memfd:wick",
  ]
  private static let stepLimit = 200_000
  /// How long one thread is stepped.
  private static let limit: UInt64 = 500_000_000
  private static let stepPatience: UInt64 = 20_000_000
  /// As much of a stack is searched for handlers.
  private static let stackByteCount = 256 << 10

  init(pid: Int32, map: MemoryMap) {
    self.pid = pid
    self.map = map
    code = LoadedCode(pid: pid, map: map)
    let program = map.mappings.first(where: \.isStartOfFile)
    hasOwnAllocator =
      program.flatMap { RemoteSymbols(pid: pid, $0) }?.address(of: "malloc") != nil
  }

  /// Holds a thread at such a place; nil if it does not come to one.
  func hold(_ tid: Int32) -> HeldThread? {
    guard var held = try? HeldThread(tid: tid, nanoseconds: Self.stepPatience),
      !held.isOfStoppedProcess
    else { return nil }
    let end = HeldThread.now() + Self.limit
    for _ in 0..<Self.stepLimit {
      guard let registers = held.registers() else { return nil }
      let isInCall = Int(bitPattern: UInt(registers.orig_rax)) >= 0
      if !isInCall, !held.hasSignal, isFree(UInt64(registers.rip)) {
        guard !isInHandler(stack: UInt64(registers.rsp)) else { return nil }
        return held
      }
      guard HeldThread.now() < end, (try? held.step(nanoseconds: Self.stepPatience)) == true else {
        return nil
      }
    }
    return nil
  }

  private func isFree(_ address: UInt64) -> Bool {
    guard let mapping = map.mapping(at: address), mapping.isExecutable, mapping.path.hasPrefix("/")
    else { return false }
    let isProgram = mapping.file == map.mappings.first(where: \.isStartOfFile)?.file
    if isProgram { return !hasOwnAllocator }
    let name = mapping.path.split(separator: "/").last ?? ""
    return !Self.lockingLibraries.contains { name.hasPrefix($0) }
  }

  /// Whether the address by which handlers return is anywhere on a stack; it may be left over.
  private func isInHandler(stack: UInt64) -> Bool {
    let bytes = RemoteMemory.bytes(pid, at: stack, count: Self.stackByteCount)
    var word: UInt64 = 0
    var seen: Set<UInt64> = []
    for (index, byte) in bytes.enumerated() {
      word = word >> 8 | UInt64(byte) << 56
      guard index % 8 == 7, map.mapping(at: word)?.isExecutable == true,
        seen.insert(word).inserted
      else { continue }
      if code.isSignalReturn(word) { return true }
    }
    return false
  }
}
