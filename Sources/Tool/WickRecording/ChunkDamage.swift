/// Why a chunk whose checksum is right cannot be read on.
struct ChunkDamage: Error {
  /// Offset in the payload.
  var offset: Int
  /// What is wrong, as the end of a sentence.
  var reason: String
}

extension ByteReader {
  /// Reads a varint.
  mutating func number() throws(ChunkDamage) -> UInt64 {
    do { return try varint() } catch {
      throw ChunkDamage(offset: error.offset, reason: "a number is not whole")
    }
  }

  /// Reads a varint that has to fit a smaller type.
  mutating func number<T: FixedWidthInteger>(
    as type: T.Type, _ reason: @autoclosure () -> String
  ) throws(ChunkDamage) -> T {
    let start = offset
    guard let value = T(exactly: try number()) else {
      throw ChunkDamage(offset: start, reason: reason())
    }
    return value
  }

  /// Reads a zigzag-coded varint.
  mutating func signedNumber() throws(ChunkDamage) -> Int64 {
    do { return try zigzag() } catch {
      throw ChunkDamage(offset: error.offset, reason: "a number is not whole")
    }
  }

  /// Reads a string.
  mutating func text() throws(ChunkDamage) -> String {
    do { return try string() } catch {
      throw ChunkDamage(offset: error.offset, reason: "a string is not whole")
    }
  }

  /// Reads a counted run of bytes.
  mutating func blob() throws(ChunkDamage) -> [UInt8] {
    do { return try byteArray() } catch {
      throw ChunkDamage(offset: error.offset, reason: "a string is not whole")
    }
  }
}
