import Foundation

/// Other programs, found through PATH.
enum Command {
  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - words: The program and its arguments.
  ///   - input: Its standard input; its output is thrown away.
  ///   - environment: Added to this process's.
  ///   - isQuiet: Whether its messages are thrown away too.
  /// - Returns: What it used.
  /// - Throws: `BenchmarkError` if it cannot be run or fails.
  static func run(
    _ words: [String], input: String = "/dev/null", environment: [String: String] = [:],
    isQuiet: Bool = false
  ) throws -> rusage {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    if isQuiet {
      posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    }
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    var arguments = words.map { strdup($0) } + [nil]
    var settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (arguments + settings).forEach { free($0) } }
    var pid: pid_t = 0
    let error = posix_spawnp(&pid, words[0], &actions, nil, &arguments, &settings)
    guard error == 0 else { throw BenchmarkError.unexpected("cannot run \(words[0]): \(error)") }
    var status: Int32 = 0
    var usage = rusage()
    wait4(pid, &status, 0, &usage)
    guard status == 0 else { throw BenchmarkError.unexpected("\(words[0]) ended with \(status)") }
    return usage
  }

  /// Runs a program and gives what it prints; its messages are thrown away if it is to be quiet.
  static func output(_ words: [String], isQuiet: Bool = false) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    let pipe = Pipe()
    process.standardOutput = pipe
    if isQuiet { process.standardError = FileHandle.nullDevice }
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
