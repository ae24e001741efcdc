internal import CWickFormat
internal import WickProfile

/// What the ALLOCATIONS, LIVE and TYPES chunks of a segment tell.
struct AllocationChunks {
  /// What rows are summed by; type 0 is for objects of no known type.
  struct Key: Hashable {
    /// Node of the profile.
    var node: Int32
    /// Index into the profile's threads.
    var thread: Int32
    var type: UInt32
  }

  /// Sums over rows of one kind; estimates but for `followed`.
  struct Counts {
    var followed: UInt64 = 0
    var objects: UInt64 = 0
    var bytes: UInt64 = 0
    /// The part of `objects` and `bytes` that came after the high-water mark number `mark`; 0 for later
    /// marks.
    var after: (objects: Int64, bytes: Int64) = (0, 0)
    var mark = 0
  }

  /// All that is known of one key.
  struct Row {
    var key: Key
    /// Of type 0 only: allocations are of no type before the object is freed or listed as live.
    var allocated = Counts()
    var freed = Counts()
    var temporary: UInt64 = 0
    var lifetimeMilliseconds: UInt64 = 0
    var retains: UInt64 = 0
    var releases: UInt64 = 0
  }

  /// Objects of a key that were live at the moment of the list.
  struct LiveEntry {
    var key: Key
    /// When they were allocated, since the segment's start.
    var milliseconds: UInt64
    var followed: UInt64
    var objects: UInt64
    var bytes: UInt64
  }

  /// In the order of their first rows.
  private(set) var rows: [Row] = []
  private var places: [Key: Int] = [:]
  /// The latest list of what was live, in its order.
  private(set) var live: [LiveEntry] = []
  /// When that was made, in ms since the segment's start; nil as long as there is none.
  private(set) var listMilliseconds: UInt64?
  /// Names by type id, as their frames have them.
  private(set) var typeNames: [UInt32: String] = [:]
  /// nil as long as there is no ALLOCATIONS chunk.
  private(set) var history: HeapHistory?
  /// How many high-water marks there were.
  private(set) var mark = 0
  private var liveBytes: Int64 = 0
  private var liveObjects: Int64 = 0

  /// Reads an ALLOCATIONS payload; rows before a damaged one are kept.
  mutating func readAllocations(
    _ reader: inout ByteReader, _ ids: SegmentIDs, delay: UInt64, into builder: inout ProfileBuilder
  ) throws(ChunkDamage) {
    let milliseconds = try reader.number()
    let start = reader.offset
    let isNewMark = try reader.number()
    guard isNewMark <= 1 else {
      throw ChunkDamage(offset: start, reason: "a high-water mark is neither new nor old")
    }
    let interval = try reader.number()
    if isNewMark == 1 { mark += 1 }
    let time = Self.nanoseconds(milliseconds, delay: delay)
    builder.extend(to: time)
    var history = history ?? HeapHistory()
    if interval > 0, !history.intervals.contains(interval) { history.intervals.append(interval) }
    defer {
      history.points.append(
        HeapHistory.Point(nanoseconds: time, bytes: liveBytes, objects: liveObjects))
      self.history = history
    }
    while reader.remaining > 0 { try readRow(&reader, ids) }
  }

  private mutating func readRow(
    _ reader: inout ByteReader, _ ids: SegmentIDs
  ) throws(ChunkDamage) {
    let tagOffset = reader.offset
    let tag = try reader.number()
    let kind = AllocationRowKind(rawValue: UInt32(tag & 3))
    var key = try ids.key(node: tag >> 2, at: tagOffset, &reader)
    if kind != .allocated {
      key.type = try reader.number(as: UInt32.self, "a type id is too large")
    }
    var counts = Counts()
    counts.followed = try reader.number()
    switch kind {
    case .retained, .released:
      let row = place(of: key)
      if kind == .retained {
        rows[row].retains.addSaturating(counts.followed)
      } else {
        rows[row].releases.addSaturating(counts.followed)
      }
      return
    default: break
    }
    counts.objects = try reader.number()
    counts.bytes = try reader.number()
    counts.after = (try reader.signedNumber(), try reader.signedNumber())
    counts.mark = mark
    let isFree = kind == .freed
    let extra: (temporary: UInt64, lifetime: UInt64) =
      isFree ? (try reader.number(), try reader.number()) : (0, 0)
    let row = place(of: key)
    if isFree {
      rows[row].freed.add(counts)
      rows[row].temporary.addSaturating(extra.temporary)
      rows[row].lifetimeMilliseconds.addSaturating(extra.lifetime)
    } else {
      rows[row].allocated.add(counts)
    }
    let sign: Int64 = isFree ? -1 : 1
    liveBytes = liveBytes.addingSaturating(sign * Int64(clamping: counts.bytes))
    liveObjects = liveObjects.addingSaturating(sign * Int64(clamping: counts.objects))
  }

  private mutating func place(of key: Key) -> Int {
    if let known = places[key] { return known }
    places[key] = rows.count
    rows.append(Row(key: key))
    return rows.count - 1
  }

  /// Reads a LIVE payload; a later list takes the place of an earlier one.
  mutating func readLive(
    _ reader: inout ByteReader, _ ids: SegmentIDs
  ) throws(ChunkDamage) {
    let milliseconds = try reader.number()
    if listMilliseconds != milliseconds { live = [] }
    listMilliseconds = milliseconds
    while reader.remaining > 0 {
      let start = reader.offset
      let node = try reader.number()
      var key = try ids.key(node: node, at: start, &reader)
      key.type = try reader.number(as: UInt32.self, "a type id is too large")
      live.append(
        LiveEntry(
          key: key, milliseconds: try reader.number(), followed: try reader.number(),
          objects: try reader.number(), bytes: try reader.number()))
    }
  }

  /// Reads a TYPES payload; of two names of an id the first counts.
  mutating func readTypes(_ reader: inout ByteReader) throws(ChunkDamage) {
    while reader.remaining > 0 {
      let start = reader.offset
      let id = try reader.number(as: UInt32.self, "a type id is too large")
      guard id > 0 else { throw ChunkDamage(offset: start, reason: "a type has the id of none") }
      let kind = RecordedTypeKind(
        rawValue: try reader.number(as: UInt32.self, "a type is of no known kind"))
      let name = try reader.text()
      if name.isEmpty || typeNames[id] != nil { continue }
      // A star marks names that are unique within their module only.
      typeNames[id] =
        kind == .cppClass ? "_ZTS" + (name.hasPrefix("*") ? String(name.dropFirst()) : name) : name
    }
  }

  /// A time of the segment since the start of the recording, saturating.
  static func nanoseconds(_ milliseconds: UInt64, delay: UInt64) -> UInt64 {
    let (time, isTooLong) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    let (sum, isTooLate) = time.addingReportingOverflow(delay)
    return isTooLong || isTooLate ? .max : sum
  }
}

extension AllocationChunks.Counts {
  /// Adds a row; what came after an older mark than the row's is forgotten.
  fileprivate mutating func add(_ row: Self) {
    followed.addSaturating(row.followed)
    objects.addSaturating(row.objects)
    bytes.addSaturating(row.bytes)
    if mark != row.mark { (after, mark) = ((0, 0), row.mark) }
    after.objects = after.objects.addingSaturating(row.after.objects)
    after.bytes = after.bytes.addingSaturating(row.after.bytes)
  }

  /// What came after the high-water mark of a number, the latest.
  func after(mark latest: Int) -> (objects: UInt64, bytes: UInt64) {
    mark == latest ? (UInt64(clamping: after.objects), UInt64(clamping: after.bytes)) : (0, 0)
  }
}

extension SegmentIDs {
  /// Reads the thread of a row whose node was read; the key is of no type.
  fileprivate func key(
    node: UInt64, at offset: Int, _ reader: inout ByteReader
  ) throws(ChunkDamage) -> AllocationChunks.Key {
    guard node < UInt64(nodes.count) else {
      throw ChunkDamage(offset: offset, reason: "a stack is not defined")
    }
    let start = reader.offset
    guard let place = threadPlaces[try reader.number()] else {
      throw ChunkDamage(offset: start, reason: "a thread is not defined")
    }
    return AllocationChunks.Key(
      node: nodes[Int(node)], thread: Int32(threads[place].index), type: 0)
  }
}

extension UInt64 {
  /// Adds, and stays at the largest value instead of beginning anew: values come from files.
  mutating func addSaturating(_ other: UInt64) {
    let (sum, isTooLarge) = addingReportingOverflow(other)
    self = isTooLarge ? .max : sum
  }

  /// The difference; 0 where `other` is larger.
  func subtractingSaturating(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
