import WickProfile

/// What of a profile is counted: what the subcommands have in common that show values.
struct ValueOptions {
  /// The option that names a column.
  ///
  /// - Parameter what: What is done to the values, as the beginning of a sentence.
  /// - Returns: The option.
  static func value(_ what: String) -> Option {
    Option(
      name: "--value", letter: "c", value: "NAME",
      help: "\(what): samples, cpu, or of memory, see above (samples).", formerName: "--column")
  }

  /// The option that shows types of objects.
  static let types = Option(
    name: "--types", help: "Ends stacks of allocations with the type of their objects.")

  /// A paragraph for the help page.
  static let discussion = """
    Of a recording with allocations NAME may be alloc_objects or alloc_space (allocated), inuse_objects
    or inuse_space (live at the end), peak or peak_objects (live at the high-water mark), temporary
    (freed before the thread's next allocation), lifetime, and retains or releases.
    """
}

extension Input {
  /// The column that `--value` asks for, as an index; without it the first.
  func column(_ arguments: Arguments) throws -> Int {
    guard let name = arguments.value("--value") else { return 0 }
    return try column(named: name, arguments)
  }

  /// The column of a name.
  func column(named name: String, _ arguments: Arguments) throws -> Int {
    let types = profile.valueTypes
    guard let column = types.firstIndex(where: { $0.name == name }) else {
      let known = types.map { "'\($0.name)'" }.joined(separator: ", ")
      let memory = ValueType.allocations + ValueType.references
      let isOfMemory = memory.contains { $0.name == name }
      let cause = isOfMemory && types.count <= 2 ? ", as no allocations were recorded" : ""
      throw arguments.usage(
        "there is no value '\(name)' in \(description)\(cause), only \(known)")
    }
    return column
  }
}
