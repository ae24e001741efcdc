extension ValueType {
  /// Objects that were allocated.
  public static let allocatedObjects = ValueType(name: "alloc_objects", unit: "count")
  /// Bytes that were allocated.
  public static let allocatedSpace = ValueType(name: "alloc_space", unit: "bytes")
  /// Objects that were allocated and not freed.
  public static let liveObjects = ValueType(name: "inuse_objects", unit: "count")
  /// Bytes that were allocated and not freed.
  public static let liveSpace = ValueType(name: "inuse_space", unit: "bytes")
  /// Objects that were live when the process's live bytes were at their highest.
  public static let peakObjects = ValueType(name: "peak_objects", unit: "count")
  /// Bytes that were live when the process's live bytes were at their highest; of several processes
  /// each has its own moment.
  public static let peakSpace = ValueType(name: "peak", unit: "bytes")
  /// Objects that were freed before their thread allocated another.
  public static let temporary = ValueType(name: "temporary", unit: "count")
  /// Sum of the lives of objects that were freed.
  public static let lifetime = ValueType(name: "lifetime", unit: "milliseconds")
  /// Allocations that were followed: what the others are estimated from.
  public static let followed = ValueType(name: "followed", unit: "count")
  /// Those of `followed` that were not freed.
  public static let followedLive = ValueType(name: "followed_inuse", unit: "count")
  /// References to Swift objects that were taken.
  public static let retains = ValueType(name: "retains", unit: "count")
  /// References to Swift objects that were given up.
  public static let releases = ValueType(name: "releases", unit: "count")

  /// The columns of a recording with allocations, behind those of samples; the names are those of
  /// pprof's heap profiles as far as these have them.
  public static let allocations: [ValueType] = [
    allocatedObjects, allocatedSpace, liveObjects, liveSpace, peakObjects, peakSpace, temporary,
    lifetime, followed, followedLive,
  ]
  /// The columns of a recording in which references were counted, behind those of allocations.
  public static let references: [ValueType] = [retains, releases]

  /// Whether allocations or references are what is counted.
  public var isOfMemory: Bool { Self.allocations.contains(self) || Self.references.contains(self) }
}
