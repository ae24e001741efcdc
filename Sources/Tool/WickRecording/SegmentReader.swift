internal import CWickFormat
internal import WickProfile

/// Reads one segment: walks its chunks and keeps the ids that the chunks define.
struct SegmentReader {
  /// A whole chunk with the right checksum.
  private struct Chunk {
    /// nil where the type is not known.
    var type: ChunkType?
    var sequence: UInt32
    /// Where the payload lies in the file.
    var payload: Range<Int>
  }

  let header: SegmentHeader
  /// Time between the first segment's start and this one's.
  let delay: UInt64
  /// Where and why the samples of this segment end early; nil as long as they do not.
  private var cut: (offset: Int, reason: String)?
  private var process: Origin.Process
  private var sequence: UInt32 = 0
  var ids = SegmentIDs()
  private var allocations = AllocationChunks()

  init(_ header: SegmentHeader, delay: UInt64) {
    self.header = header
    self.delay = delay
    process = Origin.Process(pid: header.pid)
    process.info["engine"] = RecordedEngine.name(header.engine)
    process.isUserOnly = header.isUserOnly
  }

  /// Whether samples of this segment are missing.
  var isCut: Bool { cut != nil }

  /// Reads chunks until the segment ends.
  ///
  /// - Returns: The offset of the first byte that is not of this segment, or not readable.
  mutating func read(_ file: RawSpan, into builder: inout ProfileBuilder) -> Int {
    var offset = header.firstChunk
    while offset < file.byteCount, process.endReason == nil,
      !SegmentHeader.mayBegin(file, at: offset)
    {
      guard let chunk = chunk(of: file, at: offset) else { return offset }
      if chunk.sequence != sequence {
        stop(at: offset, "chunk \(sequence) is missing")
      }
      sequence = chunk.sequence &+ 1
      do {
        try read(chunk.type, file.extracting(chunk.payload), into: &builder)
      } catch {
        stop(at: chunk.payload.lowerBound + error.offset, error.reason)
      }
      offset = chunk.payload.upperBound
    }
    return offset
  }

  /// Closes the segment that ended at `offset`.
  mutating func finish(at offset: Int, into builder: inout ProfileBuilder) {
    if process.endReason == nil { stop(at: offset, "it has no end mark") }
    if let cut {
      builder.warn(
        "The recording of process \(header.pid) was cut short at byte \(cut.offset): "
          + "\(cut.reason), and its later samples are missing.")
    }
    if var heap = allocations.history {
      heap.listNanoseconds = allocations.listMilliseconds.map {
        AllocationChunks.nanoseconds($0, delay: delay)
      }
      process.heap = heap
      AllocationSites(allocations, delay: delay).add(to: &builder)
    }
    builder.add(process)
  }

  /// Notes where samples end; the first place counts.
  private mutating func stop(at offset: Int, _ reason: String) {
    if cut == nil { cut = (offset, reason) }
  }

  /// Returns the header of the chunk at `offset` if the whole chunk is there and undamaged.
  private mutating func chunk(of file: RawSpan, at offset: Int) -> Chunk? {
    let bytes = file.extracting(droppingFirst: offset)
    var reader = ByteReader(bytes)
    do {
      let type = ChunkType(rawValue: try reader.integer())
      let byteCount: UInt32 = try reader.integer()
      let sequence: UInt32 = try reader.integer()
      let covered = bytes.extracting(first: reader.offset)
      let checksum: UInt32 = try reader.integer()
      guard byteCount <= UInt32(WICK_CHUNK_BYTE_LIMIT) else {
        stop(at: offset, "no chunk begins there")
        return nil
      }
      var crc = CRC32C()
      crc.update(covered)
      crc.update(try reader.take(Int(byteCount)))
      guard crc.value == checksum else {
        stop(at: offset, "a chunk does not match its checksum")
        return nil
      }
      let end = offset + reader.offset
      return Chunk(type: type, sequence: sequence, payload: end - Int(byteCount)..<end)
    } catch {
      stop(at: offset, "the last chunk is not whole")
      return nil
    }
  }

  /// Reads a chunk's payload.
  ///
  /// After a loss only the chunks that stand for themselves are read.
  private mutating func read(
    _ type: ChunkType?, _ payload: RawSpan, into builder: inout ProfileBuilder
  ) throws(ChunkDamage) {
    var reader = ByteReader(payload)
    switch type {
    case .info: try readInfo(&reader)
    case .stats: try readStatistics(&reader)
    case .blocked: try readBlockedThreads(&reader)
    case .end: try readEnd(&reader, into: &builder)
    case .modules where cut == nil: try ids.readModules(&reader, into: &builder)
    case .threads where cut == nil: try ids.readThreads(&reader, pid: header.pid, into: &builder)
    case .samples where cut == nil:
      try ids.readSamples(
        &reader, delay: delay, period: header.periodNanoseconds, into: &builder)
    case .allocations where cut == nil:
      try allocations.readAllocations(&reader, ids, delay: delay, into: &builder)
    case .live where cut == nil: try allocations.readLive(&reader, ids)
    case .types where cut == nil: try allocations.readTypes(&reader)
    default: break
    }
  }

  private mutating func readInfo(_ reader: inout ByteReader) throws(ChunkDamage) {
    while reader.remaining > 0 {
      let key = try reader.text()
      process.info[key] = try reader.text()
    }
  }

  private mutating func readStatistics(_ reader: inout ByteReader) throws(ChunkDamage) {
    while reader.remaining > 0 {
      let key = try reader.number(as: UInt32.self, "a statistic's key is too large")
      process.statistics[RecordedStatistic.name(key)] = try reader.number()
    }
  }

  private mutating func readBlockedThreads(_ reader: inout ByteReader) throws(ChunkDamage) {
    process.blockedThreads = []
    while reader.remaining > 0 {
      let tid = try reader.number(as: UInt32.self, "a thread id is too large")
      let cpu = try reader.number()
      process.blockedThreads.append(
        Origin.BlockedThread(tid: tid, name: try reader.text(), cpuNanoseconds: cpu))
    }
  }

  private mutating func readEnd(
    _ reader: inout ByteReader, into builder: inout ProfileBuilder
  ) throws(ChunkDamage) {
    let reason = try reader.number(as: UInt32.self, "the end reason is too large")
    let (duration, overflow) = try reader.number().addingReportingOverflow(delay)
    builder.extend(to: overflow ? .max : duration)
    process.endReason = EndReason.name(reason)
    if let failure = EndReason.failure(reason) {
      throw ChunkDamage(offset: 0, reason: failure)
    }
  }
}
