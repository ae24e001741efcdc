internal import Glibc
internal import WickRecording
public import WickProfile

/// The file of a recorded module: the very build that ran.
public struct ModuleFile {
  /// Where the file was found.
  public let path: String
  /// `e_machine` of ELF: 62 for x86-64, 183 for AArch64.
  public let machine: UInt16
  private let file: DebugFile
  private var image: ElfImage?

  /// More bytes of one function than this are not read.
  private static let byteLimit: UInt64 = 1 << 20

  /// Finds the file at its path, else in a process that runs it.
  ///
  /// - Parameters:
  ///   - module: As recorded; without a build-id nothing tells its file from another.
  ///   - processes: Ids of processes that may run it still.
  public init?(_ module: Module, processes: [UInt32] = []) {
    guard !module.buildID.isEmpty, module.path.hasPrefix("/") else { return nil }
    let live = processes.lazy.flatMap { LiveProcess(pid: $0).candidates(for: module.path) }
    for path in [module.path] + live {
      guard let file = DebugFile.open(path), file.elf.buildID(file.bytes) == module.buildID else {
        continue
      }
      self.path = path
      machine = file.elf.machine
      self.file = file
      return
    }
    return nil
  }

  /// The code of the function that an address is in.
  ///
  /// - Parameter address: Module-relative.
  /// - Returns: The function's bytes and the address of the first; nil where no function is known
  ///   or the file has no code of it.
  public mutating func function(at address: UInt64) -> (start: UInt64, code: [UInt8])? {
    if image == nil { image = try? ElfImage(file.bytes, buildID: nil) }
    guard let range = image?.functions.range(at: address) ?? symbol(at: address),
      let place = file.elf.place(of: range.lowerBound)
    else { return nil }
    let byteCount = min(range.upperBound - range.lowerBound, place.byteCount, Self.byteLimit)
    let code = file.bytes.clamped(offset: place.offset, byteCount: byteCount).array
    return code.isEmpty ? nil : (range.lowerBound, code)
  }

  /// The extent of the smallest symbol around an address.
  private func symbol(at address: UInt64) -> Range<UInt64>? {
    image?.symbols.lazy.compactMap { symbol -> Range<UInt64>? in
      let (end, overflow) = symbol.start.addingReportingOverflow(symbol.byteCount)
      guard !overflow, symbol.start <= address, address < end else { return nil }
      return symbol.start..<end
    }.min { $0.upperBound - $0.lowerBound < $1.upperBound - $1.lowerBound }
  }
}
