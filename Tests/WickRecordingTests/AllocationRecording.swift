/// A recording of samples and allocations: one thread, two stacks that allocate, three types.
///
/// At the end 6 objects of 600 bytes are live of stack 1 and 1 of 50 of stack 2; the high-water mark is
/// behind the second chunk, with 12 of 1200 and 2 of 100. Each followed object stands for `scale`.
func allocationSegment(
  _ header: Encoder.Header = Encoder.Header(), into encoder: inout Encoder, interval: UInt64 = 1,
  hasList: Bool = true, scale: UInt64 = 1
) {
  func scaled(_ numbers: (UInt64, UInt64, UInt64)) -> (UInt64, UInt64, UInt64) {
    (numbers.0, numbers.1 * scale, numbers.2 * scale)
  }
  func after(_ objects: Int64, _ bytes: Int64) -> (Int64, Int64) {
    (objects * Int64(scale), bytes * Int64(scale))
  }
  func scaled(_ entries: [[UInt64]]) -> [[UInt64]] {
    entries.map { $0.prefix(5) + $0.suffix(2).map { $0 * scale } }
  }
  encoder.header(header)
  encoder.info([("command", "server --port 80")])
  encoder.modules([(0x5555_0000_0000, 0x1000..<0x9000, [0xde, 0xad], "/nowhere/server")])
  encoder.threads([(0, UInt64(header.pid), "main")])
  encoder.samples([
    Encoder.thread(0),
    Encoder.frame(module: 1, kind: 1, delta: 0x2000),  // node 1: main
    Encoder.sample(after: 100),
    Encoder.frame(module: 1, kind: 1, delta: 0x100),  // node 2: below main
  ])
  encoder.types([(1, 1, "app.Node"), (2, 3, "*N3app4BaseE"), (3, 1, "")])
  encoder.allocations(
    milliseconds: 1000, isNewMark: true, interval: interval,
    [Encoder.allocated(1, 0, scaled((10, 10, 1000)))])
  encoder.allocations(
    milliseconds: 2000, isNewMark: true, interval: interval,
    [
      Encoder.allocated(1, 0, scaled((4, 4, 400))),
      Encoder.freed(1, 0, type: 1, scaled((2, 2, 200)), temporary: 2, lifetime: 60),
      Encoder.allocated(2, 0, scaled((2, 2, 100))),
    ])
  encoder.allocations(
    milliseconds: 3000, interval: interval,
    [
      Encoder.allocated(1, 0, scaled((1, 1, 100)), after: after(1, 100)),
      Encoder.freed(1, 0, type: 1, scaled((4, 4, 400)), after: after(4, 400), lifetime: 400),
      Encoder.freed(1, 0, type: 2, scaled((3, 3, 300)), after: after(3, 300), lifetime: 90),
      Encoder.freed(2, 0, type: 3, scaled((1, 1, 50)), after: after(1, 50)),
    ])
  if hasList {
    encoder.live(
      milliseconds: 4000,
      scaled([
        [1, 0, 1, 500, 2, 2, 200], [1, 0, 1, 2900, 1, 1, 100], [1, 0, 2, 900, 2, 2, 200],
      ]))
    // A list may be in several chunks; what is not in any is of no type.
    encoder.live(
      milliseconds: 4000, scaled([[1, 0, 0, 1000, 1, 1, 100], [2, 0, 0, 2000, 1, 1, 50]]))
  }
  encoder.statistics([
    (1, 1), (2, 1), (14, 3), (15, 2), (16, 10), (17, 4096), (18, 1300 * scale),
  ])
  encoder.end(nanoseconds: 4_000_000_000)
}
