import Foundation
import Testing

/// How allocations are asked for: `--alloc`, `--arc` and `--mmap`, and what a command gets of them.
@Suite struct AllocationOptionsTests {
  private let anywhere = FileManager.default.temporaryDirectory

  static let badSizes = [
    "", "0", "0k", "off", "on", "-1", "+1", "1.5m", "64q", "64kb", " 64", "6４", "1025g",
    "1099511627777", "18446744073709551616", "17179869184g",
  ]

  @Test(arguments: badSizes, ["record", "attach"])
  func sizesThatAreNoneAreNamed(size: String, subcommand: String) throws {
    let outcome = try Command.run(subcommand, "--alloc=\(size)", "1", folder: anywhere)
    #expect(outcome.exitCode == 2)
    #expect(
      outcome.errors == """
        wick: '--alloc' must be a number of bytes up to 1024g, such as 64k or 1m, or 'all', not \
        '\(size)' (see 'wick \(subcommand) --help')

        """)
  }

  /// What a recorded command finds in its environment.
  private func environment(_ options: [String], folder: URL) throws -> [String: String] {
    let outcome = try Command.run(
      Command.wick, ["record", "-o", "x.wick"] + options + ["--", "/usr/bin/env"], folder: folder)
    var variables: [String: String] = [:]
    for line in outcome.output.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
    }
    return variables
  }

  @Test(arguments: [
    ([], "libwick.so", ""),
    (["--arc"], "libwick.so", ",arc=on"),
    (["--alloc"], "libwick-malloc.so", ",alloc=524288"),
    (["--alloc=all"], "libwick-malloc.so", ",alloc=1"),
    (["--alloc=64k", "--arc", "--mmap"], "libwick-malloc.so", ",alloc=65536,arc=on,mmap=on"),
    (["--alloc=1", "--arc"], "libwick-malloc.so", ",alloc=1,arc=on"),
    (["--alloc=3M"], "libwick-malloc.so", ",alloc=3145728"),
    (["--alloc=1024g"], "libwick-malloc.so", ",alloc=1099511627776"),
  ])
  func commandIsPreloadedWithWhatItNeeds(
    options: [String], library: String, parts: String
  ) throws {
    try Command.withFolder { folder in
      let variables = try environment(options, folder: folder)
      let preloaded = try #require(variables["LD_PRELOAD"]?.split(separator: ":").first)
      #expect(preloaded.hasSuffix("/\(library)"))
      let wish = try #require(variables["WICK"])
      #expect(wish.hasSuffix("%p.wick,hz=99,engine=auto\(parts)"), "\(wish)")
    }
  }

  /// A child that goes on as it is has the agent's code, but no thread of it: it is attached to.
  @Test func forkedChildHasOneAgentOnly() throws {
    try Command.withFolder { folder in
      let script = #"""
        if (!defined($child = fork)) { die } elsif ($child) { waitpid $child, 0; exit }
        for ($round = 0; $round < 200; $round++) {
          for ($i = 0; $i < 100000; $i++) {}
          last if (@threads = glob "/proc/self/task/*") > 1 && $more++ > 20;
          select undef, undef, undef, 0.02;
        }
        open MAPS, "/proc/self/maps"; while (<MAPS>) { $libraries{$1} = 1 if m{(\S*wick\S*)} }
        print join " ", map { m{([^/]*)$} } sort keys %libraries;
        """#
      let outcome = try Command.run(
        "record", "--alloc", "-F", "997", "-o", "x.wick", "--", "/usr/bin/perl", "-e", script,
        folder: folder)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("2 processes"), "\(outcome.errors)")
      #expect(outcome.output == "libwick-malloc.so")
    }
  }

  @Test func libraryMustLieBesideTheOther() throws {
    try Command.withFolder { folder in
      let built = Command.products.appending(path: "Wick_CWickAgent.resources/libwick.so").path
      let library = folder.appending(path: "libwick.so").path
      try FileManager.default.copyItem(atPath: built, toPath: library)
      let outcome = try Command.run(
        "/usr/bin/env",
        ["WICK_LIBRARY=\(library)", Command.wick, "record", "--alloc", "--", "/bin/true"],
        folder: folder)
      #expect(outcome.exitCode == 3)
      #expect(outcome.errors.contains("libwick-malloc.so must lie beside libwick.so"))
      #expect(outcome.errors.split(separator: "\n").count == 1)
    }
  }

  /// A program whose function of this name allocates.
  private func program(defining function: String, flags: [String], folder: URL) throws {
    let code = """
      #include <stddef.h>
      __attribute__((noinline)) void *\(function)(size_t size) {
        static char pool[1 << 22];
        static size_t used;
        size = (size + 15) & ~(size_t)15;
        return size > sizeof(pool) - used ? NULL : pool + (used += size) - size;
      }
      #ifdef WHOLE
      void free(void *block) { (void)block; }
      #endif
      int main(int count, char **words) {
        for (volatile int i = 0; i < 100000000; i++) {}
        return \(function)((size_t)count) == (void *)words;
      }

      """
    try Data(code.utf8).write(to: folder.appending(path: "main.c"))
    let built = try Command.run(
      "/usr/bin/cc", ["-O1", "-fno-builtin", "-o", "program", "main.c"] + flags, folder: folder)
    try #require(built.exitCode == 0, "\(built.errors)")
  }

  @Test(arguments: ["malloc", "je_malloc", "mi_malloc"])
  func programWithAnAllocatorOfItsOwnIsRecordedAndNamed(function: String) throws {
    try Command.withFolder { folder in
      try program(
        defining: function, flags: function == "malloc" ? ["-DWHOLE"] : [], folder: folder)
      let line = "has an allocator of its own (it defines \(function)): what its code allocates"
      let outcome = try Command.run(
        "record", "--alloc", "-F", "997", "-o", "x.folded", "--", "./program", folder: folder)
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(outcome.complaints.count == 1)
      #expect(outcome.complaints.first?.contains("wick: ./program \(line)") == true)
      let doctor = try Command.run("doctor", "./program", folder: folder)
      #expect(doctor.exitCode == 0)
      #expect(doctor.output.contains("  allocations    the program \(line)"))
      // Who does not ask for allocations is not told of them.
      let plain = try Command.run(
        "record", "-F", "997", "-o", "y.folded", "--", "./program", folder: folder)
      #expect(plain.exitCode == 0 && plain.complaints.isEmpty, "\(plain.errors)")
    }
  }

  @Test func programThatOnlyCallsMallocIsGood() throws {
    let doctor = try Command.run("doctor", Command.probe, folder: anywhere)
    #expect(doctor.output.contains("by malloc and its kin, which 'wick record --alloc' follows"))
  }

  @Test func staticProgramIsRefused() throws {
    try Command.withFolder { folder in
      try program(defining: "allocate", flags: ["-static"], folder: folder)
      let outcome = try Command.run("record", "--alloc", "--", "./program", folder: folder)
      #expect(outcome.exitCode == 3)
      #expect(outcome.errors.contains("./program is statically linked, so nothing can be"))
      #expect(outcome.errors.split(separator: "\n").count == 1)
      #expect(try Command.names(in: folder) == ["main.c", "program"])
    }
  }

  /// Every prefix of a program, and programs with wrong bytes in their headers.
  @Test func damagedProgramsAreNoTrap() throws {
    try Command.withFolder { folder in
      try program(defining: "malloc", flags: ["-DWHOLE", "-s"], folder: folder)
      let path = folder.appending(path: "program")
      let whole = try Data(contentsOf: path)
      var variants: [Data] = stride(from: 1, to: whole.count, by: whole.count / 23).map {
        whole.prefix($0)
      }
      let table = Int(whole[0x28]) | Int(whole[0x29]) << 8
      for place in [0x2f, 0x3a, 0x3c, 0x3d] + (0..<30).map({ table + 64 * $0 + 31 })
      where place < whole.count {
        var variant = whole
        variant[place] = 0xff
        variants.append(variant)
      }
      for variant in variants {
        try variant.write(to: path)
        chmod(path.path, 0o755)
        let outcome = try Command.run("doctor", "./program", folder: folder)
        #expect(!outcome.isSignaled && outcome.exitCode < 128, "\(outcome.errors)")
      }
    }
  }

  @Test(arguments: ["--alloc", "--alloc=all", "--arc"])
  func memoryIsNotSeenFromOutside(option: String) throws {
    let target = try AttachTarget()
    try target.expectRefusal(
      "'\(option.prefix { $0 != "=" })' needs the agent in the process",
      options: ["--perf", option], code: 2)
    #expect(target.isAlive)
  }
}
