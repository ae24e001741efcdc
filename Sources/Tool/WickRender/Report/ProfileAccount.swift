internal import WickProfile

/// How the figures of a report came about; the same head and foot in all of them.
struct ProfileAccount: Sendable {
  /// What was sampled and what was lost.
  let accounting: SampleAccounting
  /// How the profile was taken.
  let origin: Origin

  /// Does the accounts of a profile.
  init(_ profile: Profile) {
    accounting = SampleAccounting(profile)
    origin = profile.origin
  }

  /// Samples per second of CPU time, with two digits; nil where the CPU time is not known.
  var deliveredHertz: String? {
    guard let cpu = accounting.cpuNanoseconds, cpu > 0 else { return nil }
    return Decimal.text(1_000_000_000 * Int128(accounting.weight), dividedBy: cpu, digits: 2)
  }
}
