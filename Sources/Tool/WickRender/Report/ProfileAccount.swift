internal import WickProfile

/// How the figures of a report came about; the same head and foot in all of them.
struct ProfileAccount: Sendable {
  /// What was sampled and what was lost.
  let accounting: SampleAccounting
  /// How the profile was taken.
  let origin: Origin
  /// What part of the whole is shown, as a sentence without its end; nil for all.
  let excerptText: String?
  /// What of what is counted is whose.
  let processes: GroupTable
  /// One sentence about that; nil where there is one process, or none is known.
  let processText: String?
  /// Names of all columns.
  let valueNames: [String]
  /// The parts' and the whole's sum of what is counted.
  let totals: (shown: Int64, whole: Int64)

  /// Does the accounts of a profile, of which a report shows a column.
  init(_ profile: Profile, column: Int = 0) {
    accounting = SampleAccounting(profile)
    origin = profile.origin
    excerptText = profile.excerptText(column: column)
    processes = GroupTable(profile, by: .process, column: column)
    processText = profile.processText(processes)
    valueNames = profile.valueTypes.map(\.name)
    let total = profile.total(of: column)
    totals = (total, profile.origin.excerpt?.totals[column] ?? total)
  }

  /// Samples per second of CPU time, with two digits; nil where the CPU time is not known.
  var deliveredHertz: String? {
    guard let cpu = accounting.cpuNanoseconds, cpu > 0 else { return nil }
    return Decimal.text(1_000_000_000 * Int128(accounting.weight), dividedBy: cpu, digits: 2)
  }
}
