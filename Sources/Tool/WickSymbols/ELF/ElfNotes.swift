internal import WickRecording

/// Finds the build-id in ELF notes.
package enum ElfNotes {
  /// The GNU build-id among the notes of a section or segment; nil where there is none.
  ///
  /// - Parameters:
  ///   - bytes: Notes: name size, descriptor size, type, name, descriptor, the last two padded.
  ///   - alignment: Of the section or segment; only 8 matters, all else means 4.
  /// - Returns: The descriptor of the first `NT_GNU_BUILD_ID` note of owner `GNU`.
  package static func buildID(_ bytes: RawSpan, alignment: UInt64) -> [UInt8]? {
    var reader = ByteReader(bytes)
    let unit = alignment == 8 ? 8 : 4
    while true {
      do {
        if let buildID = try note(&reader, unit: unit) { return buildID }
      } catch {
        return nil
      }
    }
  }

  /// Reads a note; its descriptor if it is a build-id.
  private static func note(
    _ reader: inout ByteReader, unit: Int
  ) throws(ByteReader.OutOfBounds) -> [UInt8]? {
    let nameCount = Int(try reader.integer(UInt32.self))
    let count = Int(try reader.integer(UInt32.self))
    let type = try reader.integer(UInt32.self)
    let name = try reader.take(nameCount)
    try reader.skip(min(padding(reader.offset, unit), reader.remaining))
    let descriptor = try reader.take(count)
    try reader.skip(min(padding(reader.offset, unit), reader.remaining))
    // NT_GNU_BUILD_ID is 3. No real id is longer than 64 bytes.
    guard type == 3, name.array == Array("GNU\0".utf8), 1...64 ~= count else {
      return nil
    }
    return descriptor.array
  }

  private static func padding(_ offset: Int, _ unit: Int) -> Int { (unit - offset % unit) % unit }
}
