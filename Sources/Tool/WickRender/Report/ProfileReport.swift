/// A view of a profile as text, for people and for programs.
public protocol ProfileReport: Sendable {
  /// Writes the report as aligned text without color.
  func writeText(to output: inout some TextOutputStream)
  /// Writes the report as JSON; `version` rises when a key changes its meaning.
  func writeJSON(to output: inout some TextOutputStream)
}

extension HotFunctionReport: ProfileReport {}
extension HotLineReport: ProfileReport {}
extension GroupReport: ProfileReport {}
extension CallTreeReport: ProfileReport {}
