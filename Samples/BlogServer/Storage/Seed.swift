/// The rows that a new database starts with, the same every time.
struct Seed {
  static let users = 2_000
  static let posts = 10_000
  static let comments = 50_000
  static let tags = 100

  /// 1 January 2024 in seconds since 1970.
  private static let epoch = 1_704_067_200

  private var random = SplitMix64(state: 2024)

  private static let givenNames = [
    "Ada", "Alan", "Barbara", "Claude", "Dennis", "Donald", "Edsger", "Frances", "Grace", "Hedy",
    "Ivan", "Jean", "Katherine", "Ken", "Leslie", "Margaret", "Niklaus", "Radia", "Sophie", "Tony",
  ]

  private static let familyNames = [
    "Allen", "Bartik", "Dijkstra", "Hamilton", "Hoare", "Hopper", "Johnson", "Kernighan", "Knuth",
    "Lamport", "Liskov", "Lovelace", "Perlman", "Ritchie", "Shannon", "Sutherland", "Turing",
    "Wilson", "Wirth", "Zuse",
  ]

  private static let subjects = [
    "The compiler", "A small cache", "Our scheduler", "The old server", "Every request",
    "A single thread", "The database", "This loop", "The profiler", "Nobody",
  ]

  private static let verbs = [
    "waits for", "measures", "forgets", "rewrites", "counts", "interrupts", "explains", "outruns",
    "allocates", "keeps",
  ]

  private static let objects = [
    "the next page", "a quiet afternoon", "what it was told", "one more row", "the slowest path",
    "its own shadow", "a lock that is free", "the sum of all parts", "no memory at all",
    "the reader’s patience",
  ]

  /// Fills the empty tables, in the caller's transaction.
  mutating func fill(_ database: Database) throws(DatabaseError) {
    for id in 1...Self.users {
      let given = pick(Self.givenNames)
      let family = pick(Self.familyNames)
      try database.run(
        "INSERT INTO users VALUES (?, ?, ?, ?)", id, given + " " + family,
        "\(given.lowercased()).\(family.lowercased())\(id)@example.org", Self.epoch + id * 900)
    }
    for id in 1...Self.tags {
      try database.run("INSERT INTO tags VALUES (?, ?)", id, "tag-\(id)")
    }
    for id in 1...Self.posts {
      try database.run(
        "INSERT INTO posts VALUES (?, ?, ?, ?, ?)", id, favored(Self.users), sentence(),
        text(sentences: 4 + random.below(5)), Self.epoch + id * 3_000)
      let first = random.below(Self.tags)
      for step in 0...random.below(5) {
        // 37 is prime to the number of tags, so no post has a tag twice.
        try database.run(
          "INSERT INTO post_tags VALUES (?, ?)", id, (first + step * 37) % Self.tags + 1)
      }
    }
    for id in 1...Self.comments {
      try database.run(
        "INSERT INTO comments VALUES (?, ?, ?, ?, ?)", id, favored(Self.posts),
        favored(Self.users), text(sentences: 1 + random.below(2)), Self.epoch + id * 600)
    }
  }

  /// A number from 1 to `count`, low ones more often, as a few users write most.
  private mutating func favored(_ count: Int) -> Int {
    min(random.below(count), random.below(count)) + 1
  }

  private mutating func pick(_ words: [String]) -> String {
    words[random.below(words.count)]
  }

  private mutating func sentence() -> String {
    pick(Self.subjects) + " " + pick(Self.verbs) + " " + pick(Self.objects) + "."
  }

  private mutating func text(sentences: Int) -> String {
    var text = sentence()
    for _ in 1..<sentences {
      text += " "
      text += sentence()
    }
    return text
  }
}

/// A small generator of numbers that look random and are the same every time.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 to `count` − 1; the tiny bias of the multiplication does not matter here.
  mutating func below(_ count: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(count)).high)
  }
}
