import WickProfile

/// A profile of samples and of sampled allocations, with lines and types.
///
/// `work` at line 5 of the program allocates through the runtime (4 followed of 4000, 2 of them live),
/// `main` at line 9 by itself (1 followed of 1000).
func memoryProfile(interval: UInt64 = 524_288) -> Profile {
  var profile = Profile(valueTypes: [.samples, .cpu] + ValueType.allocations)
  profile.modules = [
    Module(path: "/srv/app", buildID: [], loadBias: 0, extent: 0..<0x1000),
    Module(path: "/usr/lib/libswiftCore.so", buildID: [], loadBias: 0, extent: 0..<0x1000),
    .objectType,
  ]
  profile.threads = [Profile.Thread(pid: 7, tid: 7, name: "main")]
  func stack(_ frames: [Frame]) -> Int {
    frames.reduce(0) { profile.stack(parent: $0, frame: profile.intern($1)) }
  }
  let main = Frame(module: 0, address: 16, function: "main", file: "/src/app.swift", line: 9)
  let work = Frame(module: 0, address: 32, function: "work", file: "/src/app.swift", line: 5)
  let append = Frame(
    module: 0, address: 48, function: "push_back", file: "/usr/include/c++/12/vector", line: 3,
    isInlined: true)
  let runtime = Frame(module: 1, address: 8, function: "swift_allocObject")
  let node = Frame(kind: .objectType, module: 2, function: "app.Node")
  func add(_ frames: [Frame], seconds: UInt64 = 0, _ values: [Int64]) {
    profile.add(
      Profile.Sample(stack: stack(frames), thread: 0, nanoseconds: seconds * 1_000_000_000),
      values: values)
  }
  let none = ValueType.allocations.map { _ in Int64(0) }
  add([main, work], [5, 50] + none)
  // alloc, inuse, peak: objects and bytes; temporary, lifetime, followed, followed_inuse.
  add(
    [main, work, append, runtime, node], seconds: 2,
    [0, 0, 1000, 65_536, 1000, 65_536, 0, 0, 0, 0, 1, 1])
  add(
    [main, work, append, runtime, node], seconds: 9,
    [0, 0, 1000, 65_536, 1000, 65_536, 0, 0, 0, 0, 1, 1])
  add([main, work, append, runtime], [0, 0, 2000, 131_072, 0, 0, 2000, 131_072, 500, 9000, 2, 0])
  add([main], [0, 0, 1000, 8192, 0, 0, 1000, 8192, 0, 0, 1, 0])
  var process = Origin.Process(pid: 7)
  process.info["executable"] = "/srv/app"
  process.endReason = "exited"
  var heap = HeapHistory()
  heap.intervals = [interval]
  heap.listNanoseconds = 10_000_000_000
  heap.points = (1...10).map {
    HeapHistory.Point(
      nanoseconds: $0 * 1_000_000_000, bytes: Int64($0 < 6 ? $0 : 11 - $0) << 20,
      objects: Int64($0) * 100)
  }
  process.heap = heap
  profile.origin.processes = [process]
  profile.origin.durationNanoseconds = 10_000_000_000
  return profile
}
