/// The values of a row of allocations, as `ValueType.allocations` and `references` name them.
struct AllocationValues {
  var objects: UInt64 = 0
  var bytes: UInt64 = 0
  var liveObjects: UInt64 = 0
  var liveBytes: UInt64 = 0
  var followed: UInt64 = 0
  var followedLive: UInt64 = 0
  var peakObjects: UInt64 = 0
  var peakBytes: UInt64 = 0
  var temporary: UInt64 = 0
  /// In milliseconds.
  var lifetime: UInt64 = 0
  var retains: UInt64 = 0
  var releases: UInt64 = 0

  init(
    objects: UInt64, bytes: UInt64, followed: UInt64, peakObjects: UInt64 = 0,
    peakBytes: UInt64 = 0, temporary: UInt64 = 0, lifetime: UInt64 = 0, retains: UInt64 = 0,
    releases: UInt64 = 0
  ) {
    (self.objects, self.bytes, self.followed) = (objects, bytes, followed)
    (self.peakObjects, self.peakBytes) = (peakObjects, peakBytes)
    (self.temporary, self.lifetime) = (temporary, lifetime)
    (self.retains, self.releases) = (retains, releases)
  }

  /// In the order of the columns.
  var columns: [Int64] {
    [
      objects, bytes, liveObjects, liveBytes, peakObjects, peakBytes, temporary, lifetime, followed,
      followedLive, retains, releases,
    ].map { Int64(clamping: $0) }
  }
}
