/// The contents of the DWARF sections of one file; empty where it has none.
struct DwarfSections: ~Escapable {
  /// `.debug_info`.
  let info: RawSpan
  /// `.debug_abbrev`.
  let abbreviations: RawSpan
  /// `.debug_str`.
  let strings: RawSpan
  /// `.debug_line_str`.
  let lineStrings: RawSpan
  /// `.debug_str_offsets`.
  let stringOffsets: RawSpan
  /// `.debug_addr`.
  let addresses: RawSpan
  /// `.debug_ranges`.
  let ranges: RawSpan
  /// `.debug_rnglists`.
  let rangeLists: RawSpan
  /// `.debug_line`.
  let lines: RawSpan

  @_lifetime(
    copy info, copy abbreviations, copy strings, copy lineStrings, copy stringOffsets,
    copy addresses, copy ranges, copy rangeLists, copy lines
  )
  init(
    info: RawSpan, abbreviations: RawSpan, strings: RawSpan, lineStrings: RawSpan,
    stringOffsets: RawSpan, addresses: RawSpan, ranges: RawSpan, rangeLists: RawSpan,
    lines: RawSpan
  ) {
    self.info = info
    self.abbreviations = abbreviations
    self.strings = strings
    self.lineStrings = lineStrings
    self.stringOffsets = stringOffsets
    self.addresses = addresses
    self.ranges = ranges
    self.rangeLists = rangeLists
    self.lines = lines
  }

  /// Nothing.
  @_lifetime(immortal)
  init() {
    let none = RawSpan()
    self.init(
      info: none, abbreviations: none, strings: none, lineStrings: none, stringOffsets: none,
      addresses: none, ranges: none, rangeLists: none, lines: none)
  }

  /// Of all sections together.
  var byteCount: Int {
    info.byteCount + abbreviations.byteCount + strings.byteCount + lineStrings.byteCount
      + stringOffsets.byteCount + addresses.byteCount + ranges.byteCount + rangeLists.byteCount
      + lines.byteCount
  }
}
