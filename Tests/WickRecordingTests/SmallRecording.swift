import WickProfile
import WickRecording

typealias Encoder = RecordingEncoder

/// A recording with each kind of chunk and record, two threads and two samples chunks.
func smallSegment(
  _ header: Encoder.Header = Encoder.Header(), into encoder: inout Encoder, isEnded: Bool = true
) {
  encoder.header(header)
  encoder.info([("command", "server --port 80"), ("agent", "1.0")])
  encoder.modules([
    (0x5555_0000_0000, 0x1000..<0x9000, [0xde, 0xad], "/usr/bin/server"),
    (0x7fff_0000_0000, 0..<0x1000, [], "[vdso]"),
  ])
  encoder.threads([(0, UInt64(header.pid), "main"), (7, 4712, "old")])
  encoder.samples([
    Encoder.thread(0),
    Encoder.frame(module: 1, kind: 1, delta: 0x2000),  // frame 0, node 1: return address 0x2000
    Encoder.frame(module: 1, kind: 0, delta: -0x800),  // frame 1, node 2: instruction 0x1800
    Encoder.sample(after: 1500),
    Encoder.cursor(nodeBack: 1),  // node 1
    Encoder.sample(after: 500, weight: 3),
    Encoder.thread(7),
    Encoder.cursor(nodeBack: 2),  // node 0, the root
    Encoder.frame(module: 0, kind: 3, delta: 1),  // frame 2, node 3: truncated by depth
    Encoder.sample(after: 100),
  ])
  encoder.threads([(7, 4712, "worker")])
  encoder.samples([
    Encoder.cursor(nodeBack: 3),  // node 0
    Encoder.frame(module: 0, kind: 0, delta: 0xfff),  // frame 3, node 4: no module, 1 + 0xfff
    Encoder.cursor(nodeBack: 2),  // node 2
    Encoder.frame(module: 2, kind: 2, delta: 0x10),  // frame 4, node 5: resume point in the vdso
    Encoder.thread(7),
    Encoder.sample(after: 900),
    Encoder.thread(0),
    Encoder.cursor(nodeBack: 5),  // node 0: no frames at all
    Encoder.sample(after: 1000),
  ])
  encoder.statistics([(1, 4), (2, 5)])
  encoder.statistics([(1, 5), (2, 7), (3, 11), (9, 80_000_000), (10, 1_000_000), (77, 8)])
  if isEnded { encoder.end() }
}

func smallRecording() -> [UInt8] {
  var encoder = Encoder()
  smallSegment(into: &encoder)
  return encoder.bytes
}

func read(_ bytes: [UInt8]) throws(RecordingError) -> Profile {
  try Recording.profile(of: bytes.span.bytes)
}

extension Profile {
  /// The frames of a row, root first.
  func path(of row: Int) -> [Frame] {
    stacks.framesLeafFirst(of: samples[row].stack).reversed().map { frames[$0] }
  }
}
