/// A file of code that was mapped into the profiled process.
public struct Module: Hashable, Sendable {
  /// Path as the process saw it; `[vdso]` for the kernel's page.
  public var path: String
  /// GNU build-id, empty where the file has none.
  public var buildID: [UInt8]
  /// Runtime address = `loadBias` &+ module-relative address.
  public var loadBias: UInt64
  /// Module-relative extent of the loaded segments.
  public var extent: Range<UInt64>

  /// Creates a module.
  public init(path: String, buildID: [UInt8], loadBias: UInt64, extent: Range<UInt64>) {
    self.path = path
    self.buildID = buildID
    self.loadBias = loadBias
    self.extent = extent
  }

  /// The path's last component.
  public var name: Substring {
    guard let slash = path.lastIndex(of: "/") else { return Substring(path) }
    return path[path.index(after: slash)...]
  }
}
