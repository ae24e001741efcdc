import Testing
import WickProfile
import WickRecording

@Suite struct DamagedRecordingTests {
  @Test func namesWhatIsNoRecording() {
    #expect(throws: RecordingError.empty) { try read([]) }
    #expect(throws: RecordingError.notARecording(offset: 0)) { try read(Array("ELF".utf8)) }
    // A newline translation took the carriage return away.
    #expect(throws: RecordingError.notARecording(offset: 5)) {
      try read([0x89] + Array("WICK\n".utf8) + [0x1a])
    }
    var encoder = Encoder()
    encoder.header(Encoder.Header(version: 3))
    #expect(throws: RecordingError.unsupportedVersion(3, offset: 0)) { try read(encoder.bytes) }
    encoder = Encoder()
    encoder.header(Encoder.Header(byteCount: 63))
    #expect(throws: RecordingError.damagedHeader(offset: 0)) { try read(encoder.bytes) }
    encoder = Encoder()
    encoder.header(Encoder.Header(byteCount: .max / 1000))
    #expect(throws: RecordingError.cutHeader(offset: 1000)) {
      try read(Array(encoder.bytes.prefix(1000)))
    }
  }

  @Test func readsEveryPrefix() throws {
    let whole = smallRecording()
    var known = 0
    for count in 0..<whole.count {
      let prefix = Array(whole.prefix(count))
      if count < 64 {
        let expected: RecordingError = count == 0 ? .empty : .cutHeader(offset: count)
        #expect(throws: expected) { try read(prefix) }
        continue
      }
      let profile = try read(prefix)
      #expect(profile.origin.isIncomplete)
      #expect(profile.origin.warnings.count == 1)
      #expect(profile.samples.count >= known)
      known = profile.samples.count
    }
    #expect(known == 5)
    #expect(try read(whole).origin.warnings == [])
  }

  @Test func readsEveryPrefixOfTwoSegments() throws {
    var encoder = Encoder()
    smallSegment(into: &encoder)
    let boundary = encoder.bytes.count
    smallSegment(into: &encoder)
    for count in boundary..<encoder.bytes.count {
      let profile = try read(Array(encoder.bytes.prefix(count)))
      #expect(profile.samples.count >= 5)
      #expect(profile.origin.isIncomplete == (count > boundary), "\(count)")
      #expect(profile.origin.processes.count == (count < boundary + 64 ? 1 : 2))
    }
  }

  /// Each byte lies under a checksum, so no flip may go unnoticed.
  @Test func noticesEveryFlippedBit() throws {
    let whole = smallRecording()
    var damaged = whole
    for bit in 0..<whole.count * 8 {
      damaged[bit / 8] ^= 1 << (bit % 8)
      defer { damaged[bit / 8] = whole[bit / 8] }
      do {
        let origin = try read(damaged).origin
        #expect(origin.isIncomplete && !origin.warnings.isEmpty, "bit \(bit)")
      } catch {
        #expect(bit / 8 < 64, "bit \(bit) of byte \(bit / 8): \(error)")
      }
    }
  }

  @Test func noticesRandomFlipsInTwoSegments() throws {
    var encoder = Encoder()
    smallSegment(into: &encoder)
    smallSegment(Encoder.Header(pid: 99), into: &encoder)
    var random = SplitMix(state: 20_240_501)
    for _ in 0..<10_000 {
      var damaged = encoder.bytes
      var flipped: Set<Int> = []
      for _ in 0...random.below(4) {
        let bit = random.below(damaged.count * 8)
        guard flipped.insert(bit).inserted else { continue }
        damaged[bit / 8] ^= 1 << (bit % 8)
      }
      guard let profile = try? read(damaged) else { continue }
      #expect(profile.origin.isIncomplete, "\(flipped.sorted())")
      #expect(profile.samples.count <= 10)
      #expect(profile.samples.allSatisfy { $0.stack < profile.stacks.count })
    }
  }

  /// What a checksum cannot catch: nonsense that was written with a right one.
  @Test func survivesNonsenseWithRightChecksums() {
    var random = SplitMix(state: 7)
    for _ in 0..<10_000 {
      var encoder = Encoder()
      encoder.header()
      encoder.modules([(1, 2..<3, [], "m")])
      encoder.threads([(0, 1, "t")])
      for _ in 0...random.below(3) {
        let payload = (0..<random.below(60)).map { _ in
          UInt8(random.below(3) == 0 ? random.below(256) : random.below(20))
        }
        encoder.chunk(UInt32(1 + random.below(6)), payload)
      }
      guard let profile = try? read(encoder.bytes) else {
        Issue.record("a whole header was refused")
        continue
      }
      #expect(profile.samples.count <= 180)
      #expect(profile.samples.allSatisfy { $0.stack < profile.stacks.count })
      #expect(profile.frames.allSatisfy { ($0.module ?? 0) < profile.modules.count })
    }
  }

  @Test func aLostChunkEndsTheSamplesOfItsSegmentOnly() throws {
    var encoder = Encoder()
    encoder.header()
    encoder.threads([(0, 1, "t")])
    encoder.samples([Encoder.thread(0), Encoder.sample(after: 1)])
    encoder.sequence += 1
    let gap = encoder.bytes.count
    encoder.samples([Encoder.thread(0), Encoder.sample(after: 1)])
    encoder.statistics([(1, 3)])
    encoder.end()
    smallSegment(into: &encoder)
    let profile = try read(encoder.bytes)
    #expect(profile.samples.count == 1 + 5)
    #expect(
      profile.origin.warnings == [
        "The recording of process 4711 was cut short at byte \(gap): "
          + "chunk 2 is missing, and its later samples are missing."
      ])
    // Totals and end stand for themselves: they tell how much is missing.
    #expect(profile.origin.processes[0].statistics["samples"] == 3)
    #expect(profile.origin.processes[0].endReason == "stopped")
  }

  @Test func aDamagedChunkEndsTheSamplesOfItsSegmentOnly() throws {
    var encoder = Encoder()
    smallSegment(into: &encoder)
    let boundary = encoder.bytes.count
    smallSegment(Encoder.Header(pid: 2), into: &encoder)
    var bytes = encoder.bytes
    bytes[64 + 20] ^= 1  // in the first chunk's payload
    let profile = try read(bytes)
    #expect(profile.samples.count == 5)
    #expect(profile.origin.processes.map(\.pid) == [4711, 2])
    #expect(
      profile.origin.warnings == [
        "The recording of process 4711 was cut short at byte 64: "
          + "a chunk does not match its checksum, and its later samples are missing."
      ])
    // A damaged later header: its segment is skipped, the one before is whole.
    bytes = encoder.bytes
    bytes[boundary + 32] ^= 1
    let first = try read(bytes)
    #expect(first.samples.count == 5)
    #expect(first.origin.processes.map(\.pid) == [4711])
    #expect(
      first.origin.warnings == [
        "Nothing readable begins at byte \(boundary): "
          + "\(bytes.count - boundary) bytes were skipped."
      ])
  }

  @Test func acceptsSpaceThatWasReservedAndNotWritten() throws {
    #expect(try !read(smallRecording() + [UInt8](repeating: 0, count: 4096)).origin.isIncomplete)
    var encoder = Encoder()
    smallSegment(into: &encoder, isEnded: false)
    let killed = try read(encoder.bytes + [UInt8](repeating: 0, count: 4096))
    #expect(killed.samples.count == 5)
    #expect(killed.origin.warnings.count == 1)
  }

  @Test func aChunkAboveTheLimitIsDamage() throws {
    var encoder = Encoder()
    encoder.header()
    encoder.chunk(4242, [UInt8](repeating: 1, count: 1 << 20))
    encoder.end()
    #expect(try !read(encoder.bytes).origin.isIncomplete)
    encoder = Encoder()
    encoder.header()
    encoder.chunk(4242, [UInt8](repeating: 1, count: 1 << 20 + 1))
    encoder.end()
    let origin = try read(encoder.bytes).origin
    #expect(origin.warnings.count == 1)
    #expect(origin.warnings[0].contains("byte 64: no chunk begins there"))
  }

  @Test func boundsTheWarnings() throws {
    var encoder = Encoder()
    for _ in 0..<1000 { encoder.header() }
    let origin = try read(encoder.bytes).origin
    #expect(origin.processes.count == 1000)
    #expect(origin.warnings.count == 101)
    #expect(origin.warnings.last == "There are 900 more warnings.")
  }

  static let hostile: [(String, UInt32, [UInt8])] = [
    ("a number is not whole", 4, [UInt8](repeating: 0x80, count: 10)),
    ("a number is not whole", 4, [UInt8](repeating: 0xff, count: 10)),
    ("a number is not whole", 4, [0x83]),
    ("a number is not whole", 5, [1]),
    ("a string is not whole", 1, Encoder.varint(.max)),
    ("a string is not whole", 1, [5, 65]),
    ("a thread is not defined", 4, Encoder.thread(1)),
    ("a thread is not defined", 4, Encoder.thread(.max >> 3)),
    ("a module is not defined", 4, Encoder.frame(module: 2, kind: 0, delta: 0)),
    ("a module is not defined", 4, Encoder.frame(module: .max >> 3, kind: 0, delta: 0)),
    ("a truncation lies in a module", 4, Encoder.frame(module: 1, kind: 3, delta: 1)),
    ("a frame is not defined", 4, Encoder.node(frameBack: 0)),
    ("a sample has no thread", 4, Encoder.sample(after: 0)),
    ("a stack is not defined", 4, Encoder.cursor(nodeBack: 1)),
    ("a stack is not defined", 4, Encoder.cursor(nodeBack: .max >> 3)),
    ("a weight is below 2", 4, Encoder.thread(0) + Encoder.varint(1 << 2 | 3) + [0, 1]),
    ("module ids do not rise by one", 2, Encoder.varint(3)),
    ("a module ends before it starts", 2, [2, 0, 9, 8, 0, 0]),
    ("a thread id is too large", 3, Encoder.varint(4) + Encoder.varint(1 << 32)),
    ("a statistic's key is too large", 5, Encoder.varint(.max) + [0]),
    ("the end reason is too large", 6, Encoder.varint(.max) + [0]),
  ]

  @Test(arguments: hostile)
  func stopsAtWhatCannotBe(reason: String, type: UInt32, payload: [UInt8]) throws {
    var encoder = Encoder()
    encoder.header()
    encoder.modules([(0, 0..<9, [], "m")])
    encoder.threads([(0, 1, "t")])
    encoder.samples([Encoder.thread(0), Encoder.sample(after: 1)])
    let place = encoder.bytes.count
    encoder.chunk(type, payload)
    encoder.samples([Encoder.thread(0), Encoder.sample(after: 1)])
    encoder.end()
    let profile = try read(encoder.bytes)
    #expect(profile.samples.count == 1)
    let warning = try #require(profile.origin.warnings.first)
    #expect(warning.contains(": \(reason), and its later samples are missing."))
    let sentence = try #require(warning.split(separator: ":").first)
    let offset = try #require(sentence.split(separator: " ").last.flatMap { Int($0) })
    #expect((place + 16...place + 16 + payload.count).contains(offset))
  }
}

/// A small generator whose sequence depends on nothing but its seed.
struct SplitMix {
  var state: UInt64

  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
  }
}
