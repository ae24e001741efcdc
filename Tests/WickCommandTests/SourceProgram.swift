import Foundation

/// A small program with debug information, and a recording of it, in a folder.
///
/// `work` is inlined into `outer`, which is called from `main`.
enum SourceProgram {
  static let code = """
    #include <stdlib.h>
    static inline unsigned long work(unsigned long n) {
      unsigned long sum = 1;
      for (unsigned long i = 0; i < n; i++)
        sum += sum * sum ^ i; // </script> \u{1b}[31m
      return sum;
    }
    __attribute__((noinline)) unsigned long outer(unsigned long n) {
      unsigned long sum = work(n);
      return sum + n;
    }
    __attribute__((noinline)) static unsigned long twin(unsigned long n) {
      return outer(n + 1) + 1;
    }
    int main(int count, char **words) {
      unsigned long n = strtoul(words[1], 0, 10), sum = 0;
      for (unsigned long i = 0; i < n; i++) sum += twin(100000 + sum % 2) + count;
      return sum == 1;
    }

    """

  /// Builds and records it: `src/hot.c`, `hot` and `hot.wick`.
  static func record(in folder: URL, rounds: Int = 3000) throws -> Command.Outcome {
    let sources = folder.appending(path: "src")
    try FileManager.default.createDirectory(at: sources, withIntermediateDirectories: true)
    try Data(code.utf8).write(to: sources.appending(path: "hot.c"))
    let built = try Command.run(
      "/usr/bin/gcc", ["-g", "-O2", "-o", "hot", "src/hot.c"], folder: folder)
    guard built.exitCode == 0 else { return built }
    return try Command.run(
      "record", "-F", "997", "-o", "hot.wick", "--", "./hot", "\(rounds)", folder: folder)
  }
}
