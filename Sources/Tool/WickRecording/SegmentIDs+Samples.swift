internal import CWickFormat
internal import WickProfile

extension SegmentIDs {
  /// Reads a SAMPLES payload.
  ///
  /// - Parameters:
  ///   - reader: Stands at the payload's start.
  ///   - delay: Time between the recording's start and the segment's.
  ///   - period: CPU time that one unit of weight stands for.
  ///   - builder: Gets the samples; those before a damaged record are kept.
  /// - Throws: `ChunkDamage` at the first record that cannot be.
  mutating func readSamples(
    _ reader: inout ByteReader, delay: UInt64, period: UInt32, into builder: inout ProfileBuilder
  ) throws(ChunkDamage) {
    var place: Int?
    var latest: UInt64 = 0
    defer { builder.extend(to: latest) }
    while reader.remaining > 0 {
      let start = reader.offset
      let tag = try reader.number()
      let operand = tag >> 2
      switch RecordKind(rawValue: UInt32(tag & 3)) {
      case .place where operand & 1 == 0:
        guard let known = threadPlaces[operand >> 1] else {
          throw ChunkDamage(offset: start, reason: "a thread is not defined")
        }
        place = known
      case .place:
        guard operand >> 1 < UInt64(nodes.count) else {
          throw ChunkDamage(offset: start, reason: "a stack is not defined")
        }
        cursor = nodes[nodes.count - 1 - Int(operand >> 1)]
      case .frame:
        try addFrame(operand, &reader, at: start, into: &builder)
        try addNode(for: frames[frames.count - 1], at: start, into: &builder)
      case .node:
        guard operand < UInt64(frames.count) else {
          throw ChunkDamage(offset: start, reason: "a frame is not defined")
        }
        try addNode(for: frames[frames.count - 1 - Int(operand)], at: start, into: &builder)
      default:
        guard let place else {
          throw ChunkDamage(offset: start, reason: "a sample has no thread")
        }
        let weight = operand & 1 == 0 ? 1 : try readWeight(&reader)
        let time = advance(place, by: operand >> 1, unit: wick_time_unit_ns(period), delay: delay)
        latest = max(latest, time)
        let (cpu, overflow) = weight.multipliedReportingOverflow(by: Int64(period))
        builder.add(
          Profile.Sample(stack: Int(cursor), thread: threads[place].index, nanoseconds: time),
          weight: weight, nanoseconds: overflow ? .max : cpu)
      }
    }
  }

  private mutating func addFrame(
    _ operand: UInt64, _ reader: inout ByteReader, at start: Int, into builder: inout ProfileBuilder
  ) throws(ChunkDamage) {
    // Return address is 1, instruction 0, as the operand's last bit.
    let isShort = operand >> 1 != 0
    let long = isShort ? (operand >> 1) << 3 | operand & 1 : try reader.number()
    guard long >> 3 < UInt64(modules.count) else {
      throw ChunkDamage(offset: start, reason: "a module is not defined")
    }
    guard !builder.isFull else {
      throw ChunkDamage(offset: start, reason: "there are too many frames")
    }
    let module = Int(long >> 3)
    let address = latestAddresses[module] &+ UInt64(bitPattern: try reader.signedNumber())
    latestAddresses[module] = address
    let kind: Frame.Kind
    switch RecordedFrameKind(rawValue: UInt32(long & 7)) {
    case .instruction: kind = .instruction
    case .returnAddress: kind = .returnAddress
    case .asyncResume: kind = .asyncResume
    case .interrupted: kind = .interrupted
    case .truncated:
      guard module == 0 else {
        throw ChunkDamage(offset: start, reason: "a truncation lies in a module")
      }
      let name = TruncationReason.frameName(UInt32(clamping: address))
      frames.append(builder.intern(Frame(kind: .truncated, function: name)))
      return
    default: throw ChunkDamage(offset: start, reason: "a frame is of no known kind")
    }
    frames.append(
      builder.intern(Frame(kind: kind, module: modules[module], address: address)))
  }

  /// Adds a node below the cursor and moves the cursor there.
  private mutating func addNode(
    for frame: Int32, at start: Int, into builder: inout ProfileBuilder
  ) throws(ChunkDamage) {
    guard !builder.isFull else {
      throw ChunkDamage(offset: start, reason: "there are too many stacks")
    }
    cursor = builder.stack(parent: cursor, frame: frame)
    nodes.append(cursor)
  }

  private func readWeight(_ reader: inout ByteReader) throws(ChunkDamage) -> Int64 {
    let start = reader.offset
    let weight = try reader.number()
    guard weight >= 2 else {
      throw ChunkDamage(offset: start, reason: "a weight is below 2")
    }
    return Int64(clamping: weight)
  }

  /// Moves a thread's clock on and returns the time in nanoseconds since the recording's start.
  private mutating func advance(
    _ place: Int, by units: UInt64, unit: UInt64, delay: UInt64
  ) -> UInt64 {
    let (clock, clockOverflow) = threads[place].units.addingReportingOverflow(units)
    threads[place].units = clockOverflow ? .max : clock
    let (time, timeOverflow) = threads[place].units.multipliedReportingOverflow(by: unit)
    let (sum, sumOverflow) = time.addingReportingOverflow(delay)
    return timeOverflow || sumOverflow ? .max : sum
  }
}
