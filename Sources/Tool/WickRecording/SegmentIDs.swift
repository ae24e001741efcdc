internal import WickProfile

/// What a segment's ids stand for in the profile.
///
/// Ids are checked before use and rise by one where the format says so, so no table is larger
/// than the bytes that filled it.
struct SegmentIDs {
  /// A thread as its records go by.
  struct Thread {
    /// Index into the profile's threads.
    var index: Int
    /// Time of its latest sample since the segment's start, in the segment's unit.
    var units: UInt64 = 0
  }

  /// Index of each module in the profile; id 0 stands for no module.
  var modules: [Int?] = [nil]
  /// The address that was defined last, by module id.
  var latestAddresses: [UInt64] = [0]
  /// Threads in the order in which they were announced.
  var threads: [Thread] = []
  /// Place in `threads` by recorded thread index.
  var threadPlaces: [UInt64: Int] = [:]
  /// Index of each frame in the profile.
  var frames: [Int32] = []
  /// Node of each stack in the profile; id 0 is the root.
  var nodes: [Int32] = [0]
  /// Node of the profile that the next record refers to.
  var cursor: Int32 = 0

  /// Reads a MODULES payload.
  mutating func readModules(
    _ reader: inout ByteReader, into builder: inout ProfileBuilder
  ) throws(ChunkDamage) {
    while reader.remaining > 0 {
      let start = reader.offset
      guard try reader.number() == UInt64(modules.count) else {
        throw ChunkDamage(offset: start, reason: "module ids do not rise by one")
      }
      let loadBias = try reader.number()
      let (lower, upper) = (try reader.number(), try reader.number())
      guard lower <= upper else {
        throw ChunkDamage(offset: start, reason: "a module ends before it starts")
      }
      let buildID = try reader.blob()
      let module = Module(
        path: try reader.text(), buildID: buildID, loadBias: loadBias, extent: lower..<upper)
      modules.append(builder.intern(module))
      latestAddresses.append(0)
    }
  }

  /// Reads a THREADS payload.
  mutating func readThreads(
    _ reader: inout ByteReader, pid: UInt32, into builder: inout ProfileBuilder
  ) throws(ChunkDamage) {
    while reader.remaining > 0 {
      guard !builder.isFull else {
        throw ChunkDamage(offset: reader.offset, reason: "there are too many threads")
      }
      let index = try reader.number()
      let tid = try reader.number(as: UInt32.self, "a thread id is too large")
      let name = try reader.text()
      if let place = threadPlaces[index] {
        builder.rename(thread: threads[place].index, to: name)
      } else {
        threadPlaces[index] = threads.count
        let thread = Profile.Thread(pid: pid, tid: tid, name: name)
        threads.append(Thread(index: builder.add(thread)))
      }
    }
  }
}
