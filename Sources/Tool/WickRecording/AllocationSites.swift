internal import WickProfile

/// Turns what a segment's chunks tell of allocations into rows of a profile.
///
/// What was allocated comes without types; frees and the list of what is live have them. So of each
/// stack and thread the allocations of a type are its frees and its live objects, and what remains is
/// of no type. Nothing is made up: the sum over types is what was allocated.
struct AllocationSites {
  /// A quantity of one site, told apart by type.
  private struct Split {
    /// Of each type.
    var allocated: [UInt64]
    /// Of each entry of the list.
    var listed: [UInt64]
    /// Live, of no type and not listed.
    var unlisted: UInt64
  }

  /// One of the numbers that are settled alike.
  private struct Quantity {
    var counted: KeyPath<AllocationChunks.Counts, UInt64>
    var listed: KeyPath<AllocationChunks.LiveEntry, UInt64>
  }

  private struct Site: Hashable {
    var node: Int32
    var thread: Int32
  }

  private let chunks: AllocationChunks
  private let delay: UInt64
  private let live: [Site: [AllocationChunks.LiveEntry]]

  /// - Parameters:
  ///   - chunks: All chunks of a segment.
  ///   - delay: Time between the recording's start and the segment's.
  init(_ chunks: AllocationChunks, delay: UInt64) {
    self.chunks = chunks
    self.delay = delay
    live = Dictionary(grouping: chunks.live) { Site(node: $0.key.node, thread: $0.key.thread) }
  }

  /// Adds the rows to a profile, in the order in which the chunks had the stacks first.
  func add(to builder: inout ProfileBuilder) {
    var order: [Site] = []
    var rows: [Site: [AllocationChunks.Row]] = [:]
    for row in chunks.rows {
      let site = Site(node: row.key.node, thread: row.key.thread)
      if rows[site] == nil { order.append(site) }
      rows[site, default: []].append(row)
    }
    var leaves: [UInt32: Int32] = [:]
    for site in order {
      add(rows[site] ?? [], live[site] ?? [], &leaves, to: &builder)
    }
  }

  /// Adds the rows of one stack and thread; `leaves` are the frames of types by id.
  private func add(
    _ known: [AllocationChunks.Row], _ entries: [AllocationChunks.LiveEntry],
    _ leaves: inout [UInt32: Int32], to builder: inout ProfileBuilder
  ) {
    guard let first = known.first else { return }
    // The type of what has none comes first; ids without a name are the same.
    var types: [AllocationChunks.Row] = [AllocationChunks.Row(key: first.key)]
    types[0].key.type = 0
    var places: [UInt32: Int] = [0: 0]
    func place(of id: UInt32) -> Int {
      let type = chunks.typeNames[id] == nil ? 0 : id
      if let place = places[type] { return place }
      places[type] = types.count
      types.append(AllocationChunks.Row(key: first.key))
      types[types.count - 1].key.type = type
      return types.count - 1
    }
    var allocated = AllocationChunks.Counts()
    for row in known {
      let place = place(of: row.key.type)
      types[place].add(row, mark: chunks.mark)
      if row.key.type == 0 { allocated = row.allocated }
    }
    let typeOfEntry = entries.map { place(of: $0.key.type) }

    func split(_ quantity: Quantity) -> Split {
      settle(
        allocated[keyPath: quantity.counted],
        freed: types.map { $0.freed[keyPath: quantity.counted] },
        listed: entries.map { $0[keyPath: quantity.listed] }, types: typeOfEntry)
    }
    let followed = split(Quantity(counted: \.followed, listed: \.followed))
    let objects = split(Quantity(counted: \.objects, listed: \.objects))
    let bytes = split(Quantity(counted: \.bytes, listed: \.bytes))
    let after = allocated.after(mark: chunks.mark)
    let freedAfter = types.map { $0.freed.after(mark: chunks.mark) }
    let peakObjects = peak(
      allocated.objects, after.objects,
      zip(types, freedAfter).map { ($0.freed.objects, $1.objects) },
      live: objects, typeOfEntry)
    let peakBytes = peak(
      allocated.bytes, after.bytes, zip(types, freedAfter).map { ($0.freed.bytes, $1.bytes) },
      live: bytes, typeOfEntry)

    var rest = types.indices.map { type in
      AllocationValues(
        objects: objects.allocated[type], bytes: bytes.allocated[type],
        followed: followed.allocated[type], peakObjects: peakObjects[type],
        peakBytes: peakBytes[type], temporary: types[type].temporary,
        lifetime: types[type].lifetimeMilliseconds, retains: types[type].retains,
        releases: types[type].releases)
    }
    rest[0].liveObjects = objects.unlisted
    rest[0].liveBytes = bytes.unlisted
    rest[0].followedLive = followed.unlisted
    let stacks = types.map { builder.stack(of: $0.key, chunks.typeNames, &leaves) }
    // Listed objects are rows of their own, as they have a time.
    for (index, entry) in entries.enumerated() {
      let type = typeOfEntry[index]
      var values = AllocationValues(
        objects: min(objects.listed[index], rest[type].objects),
        bytes: min(bytes.listed[index], rest[type].bytes),
        followed: min(followed.listed[index], rest[type].followed))
      rest[type].objects -= values.objects
      rest[type].bytes -= values.bytes
      rest[type].followed -= values.followed
      values.liveObjects = objects.listed[index]
      values.liveBytes = bytes.listed[index]
      values.followedLive = followed.listed[index]
      // 0 would be no time.
      let time = max(AllocationChunks.nanoseconds(entry.milliseconds, delay: delay), 1)
      builder.add(
        Profile.Sample(stack: stacks[type], thread: Int(first.key.thread), nanoseconds: time),
        values)
    }
    for type in types.indices {
      builder.add(
        Profile.Sample(stack: stacks[type], thread: Int(first.key.thread)), rest[type])
    }
  }

  /// Tells a quantity apart by type.
  ///
  /// - Parameters:
  ///   - allocated: All of it.
  ///   - freed: By type.
  ///   - listed: What each entry of the list has.
  ///   - types: The type of each entry.
  /// - Returns: What was allocated by type, and what of each entry is live.
  private func settle(
    _ allocated: UInt64, freed: [UInt64], listed: [UInt64], types: [Int]
  ) -> Split {
    let live = allocated.subtractingSaturating(freed.reduce(UInt64(0)) { $0.addingSaturating($1) })
    // More than what rounding explains is not in the list: it may be an old one.
    let sum = listed.reduce(UInt64(0)) { $0.addingSaturating($1) }
    let missing = live.subtractingSaturating(sum)
    let weights = listed + [missing > UInt64(listed.count) || sum == 0 ? missing : 0]
    var shares = Self.shares(of: live, by: weights)
    let unlisted = shares.removeLast()
    var byType = freed
    for (index, share) in shares.enumerated() {
      byType[types[index]].addSaturating(share)
    }
    // What remains is of no type; a list that claims too much gets no more than there was.
    var rest = allocated
    for type in byType.indices.dropFirst() {
      byType[type] = min(byType[type], rest)
      rest -= byType[type]
    }
    byType[0] = rest
    return Split(allocated: byType, listed: shares, unlisted: unlisted)
  }

  /// What was live at the high-water mark, by type: each type's part follows from what of it was not
  /// freed by then, which may in part have been allocated later.
  private func peak(
    _ allocated: UInt64, _ allocatedAfter: UInt64, _ freed: [(all: UInt64, after: UInt64)],
    live: Split, _ typeOfEntry: [Int]
  ) -> [UInt64] {
    let freedBefore = freed.reduce(UInt64(0)) {
      $0.addingSaturating($1.all.subtractingSaturating($1.after))
    }
    let sum = allocated.subtractingSaturating(allocatedAfter)
      .subtractingSaturating(freedBefore)
    var weights = freed.map(\.after)
    weights[0].addSaturating(live.unlisted)
    for (index, share) in live.listed.enumerated() {
      weights[typeOfEntry[index]].addSaturating(share)
    }
    if weights.allSatisfy({ $0 == 0 }) { weights[0] = 1 }
    return Self.shares(of: sum, by: weights)
  }

  /// Parts of a whole by weight, rounded so that their sum is the whole; all 0 without any weight.
  static func shares(of whole: UInt64, by weights: [UInt64]) -> [UInt64] {
    let sum = weights.reduce(UInt64(0)) { $0.addingSaturating($1) }
    guard sum > 0 else { return weights.map { _ in 0 } }
    var (running, given) = (UInt64(0), UInt64(0))
    return weights.map { weight in
      running.addSaturating(weight)
      // At most `whole`, as `running` is at most `sum`.
      let next = sum.dividingFullWidth(whole.multipliedFullWidth(by: running)).quotient
      defer { given = next }
      return next - given
    }
  }
}

extension AllocationChunks.Row {
  /// Adds the numbers of a row of the same type but for what was allocated; `mark` is the latest.
  fileprivate mutating func add(_ row: Self, mark: Int) {
    let after = row.freed.after(mark: mark)
    freed.followed.addSaturating(row.freed.followed)
    freed.objects.addSaturating(row.freed.objects)
    freed.bytes.addSaturating(row.freed.bytes)
    freed.after.objects = freed.after.objects.addingSaturating(Int64(clamping: after.objects))
    freed.after.bytes = freed.after.bytes.addingSaturating(Int64(clamping: after.bytes))
    freed.mark = mark
    temporary.addSaturating(row.temporary)
    lifetimeMilliseconds.addSaturating(row.lifetimeMilliseconds)
    retains.addSaturating(row.retains)
    releases.addSaturating(row.releases)
  }
}

extension UInt64 {
  fileprivate func addingSaturating(_ other: UInt64) -> UInt64 {
    var sum = self
    sum.addSaturating(other)
    return sum
  }
}

extension ProfileBuilder {
  /// Returns the node of a stack with the type of its objects as leaf, if that has a name.
  fileprivate mutating func stack(
    of key: AllocationChunks.Key, _ names: [UInt32: String], _ leaves: inout [UInt32: Int32]
  ) -> Int {
    guard let name = names[key.type], !isFull else { return Int(key.node) }
    let leaf =
      leaves[key.type]
      ?? intern(Frame(kind: .objectType, module: intern(.objectType), function: name))
    leaves[key.type] = leaf
    return Int(stack(parent: key.node, frame: leaf))
  }
}
