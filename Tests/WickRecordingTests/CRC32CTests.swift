import Testing
import WickRecording

@Suite struct CRC32CTests {
  @Test func hasTheCheckValue() {
    #expect(CRC32C.checksum(Array("123456789".utf8).span.bytes) == 0xe306_9283)
    #expect(CRC32C.checksum([UInt8]().span.bytes) == 0)
    // RFC 3720, B.4.
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32).span.bytes) == 0x8a91_36aa)
    #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32).span.bytes) == 0x62a8_ab43)
    #expect(CRC32C.checksum([UInt8](0..<32).span.bytes) == 0x46dd_794e)
  }

  @Test func isTheSameInPieces() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 3) }
    let whole = CRC32C.checksum(bytes.span.bytes)
    for cut in 0...bytes.count {
      var crc = CRC32C()
      let (head, tail) = (Array(bytes[..<cut]), Array(bytes[cut...]))
      crc.update(head.span.bytes)
      crc.update(tail.span.bytes)
      #expect(crc.value == whole)
    }
  }
}
