import Glibc

/// The user's browser.
enum Browser {
  /// Shows a file, by xdg-open(1); says where it is if that is not there or fails.
  static func open(_ path: String) {
    var pid: pid_t = 0
    let words = ["xdg-open", Folder.absolute(path)]
    var arguments = unsafe words.map { unsafe strdup($0) }
    unsafe arguments.append(nil)
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var status: Int32 = 0
    guard unsafe posix_spawnp(&pid, words[0], &actions, nil, &arguments, environ) == 0,
      unsafe waitpid(pid, &status, 0) == pid, status == 0
    else {
      Console.error("no browser could be opened ('xdg-open' failed); open \(path) yourself")
      return
    }
  }
}
