import Testing
import WickFormats
import WickProfile

@Suite struct FoldedWriteTests {
  /// Adds a row whose frames are named, root first.
  static func add(
    _ names: [String], _ values: [Int64], thread: Int? = nil, to profile: inout Profile
  ) {
    var node = 0
    for name in names {
      node = profile.stack(parent: node, frame: profile.intern(Frame(function: name)))
    }
    profile.add(Profile.Sample(stack: node, thread: thread), values: values)
  }

  @Test func writesEachStackOnceInOrder() {
    var profile = Profile(valueTypes: [.samples, .cpu])
    Self.add(["main", "b"], [1, 10], to: &profile)
    Self.add(["main"], [2, 20], to: &profile)
    Self.add(["main", "a", "c"], [0, 30], to: &profile)
    Self.add(["main", "b"], [4, 40], to: &profile)
    #expect(writeFolded(profile) == "main 2\nmain;b 5\n")
    #expect(writeFolded(profile, column: 1) == "main 20\nmain;a;c 30\nmain;b 50\n")
    #expect(writeFolded(Profile(valueTypes: [.samples])) == "")
  }

  @Test func ordersLinesBytewise() {
    var profile = Profile(valueTypes: [.samples])
    let names = ["a", "a b", "a 5", "a!", "aa", "A", "é", "a:", "", "-", "~", "z"]
    for first in names {
      Self.add([first], [5], to: &profile)
      for second in names {
        Self.add([first, second], [Int64(second.utf8.count + 1)], to: &profile)
      }
    }
    Self.add([], [3], to: &profile)
    let lines = writeFolded(profile).split(separator: "\n")
    #expect(lines == lines.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    #expect(Set(lines).count == lines.count)
    #expect(lines.contains(" 3"))
  }

  @Test func cleansNames() {
    var profile = Profile(valueTypes: [.samples])
    Self.add(["a;b", "c\nd\r\u{0}\u{7f}\u{85}\u{2028}e"], [1], to: &profile)
    // What becomes equal by cleaning is one stack.
    Self.add(["a:b", "c_d____\u{2028}e"], [2], to: &profile)
    #expect(writeFolded(profile) == "a:b;c_d_____e 3\n")
  }

  @Test func namesFramesWithoutAFunction() {
    var profile = Profile(valueTypes: [.samples])
    profile.modules = [Module(path: "/lib/libx.so", buildID: [], loadBias: 0, extent: 0..<9)]
    let inModule = profile.intern(Frame(module: 0, address: 0x1f))
    let outside = profile.intern(Frame(address: 0xabc))
    let nothing = profile.intern(Frame())
    let node = profile.stack(
      parent: profile.stack(parent: profile.stack(parent: 0, frame: inModule), frame: outside),
      frame: nothing)
    profile.add(Profile.Sample(stack: node), values: [1])
    #expect(writeFolded(profile) == "libx.so+0x1f;0xabc;[unknown] 1\n")
    let tree = CallTree(profile)
    #expect(
      tree.nodes.dropFirst().map { tree.functions[$0.function].name }
        == ["libx.so+0x1f", "0xabc", "[unknown]"])
  }

  @Test func addsProcessesAndThreadsAsRoots() {
    var profile = Profile(valueTypes: [.samples])
    profile.threads = [
      Profile.Thread(pid: 7, tid: 7, name: "main"), Profile.Thread(pid: 7, tid: 8, name: "io;1"),
      Profile.Thread(pid: 9, tid: 9, name: "main"),
    ]
    for thread in 0..<3 { Self.add(["f"], [Int64(1 + thread)], thread: thread, to: &profile) }
    #expect(writeFolded(profile) == "f 6\n")
    #expect(
      writeFolded(profile.rooted(at: .thread))
        == "io:1 (tid 8);f 2\nmain (tid 7);f 1\nmain (tid 9);f 3\n")
    // An exec: two images of one process.
    var (shell, server) = (Origin.Process(pid: 7), Origin.Process(pid: 7))
    shell.info["command"] = "sh -c server"
    server.info["executable"] = "/usr/bin/server"
    profile.origin.processes = [shell, server, Origin.Process(pid: 9)]
    #expect(writeFolded(profile) == "f 6\n")
    #expect(
      writeFolded(profile.rooted(at: .process)) == "main (pid 9);f 3\nsh → server (pid 7);f 3\n")
    #expect(
      writeFolded(profile.rooted(at: [.process, .thread])) == """
        main (pid 9);main (tid 9);f 3
        sh → server (pid 7);io:1 (tid 8);f 2
        sh → server (pid 7);main (tid 7);f 1

        """)
  }

  @Test func readsBackWhatItWrote() throws {
    let text = """
       3
      (anonymous namespace)::f(int, char);operator new 17
      a b;c d 12;e 1
      main 4
      main;[unknown];x 9223372036854775807
      main;a:b;c 2
      überholt;日本 5

      """
    let profile = try readFolded(text)
    #expect(writeFolded(profile) == text)
    let again = try readFolded(writeFolded(profile))
    #expect(again.paths == profile.paths)
    #expect(again.columns == profile.columns)
    // Totals agree for a file in any order, with repetitions and empty frames.
    let messy = try readFolded("z;;y 3\na 2\nz;;y 4\n;q 5\nz 0\n")
    let tidy = try readFolded(writeFolded(messy))
    #expect(tidy.total(of: 0) == messy.total(of: 0))
    #expect(tidy.paths == [["[unknown]", "q"], ["a"], ["z", "[unknown]", "y"]])
  }

  @Test func marksInlinedFramesOnRequest() {
    var profile = Profile(valueTypes: [.samples])
    for isInlined in [true, false] {
      let main = profile.intern(Frame(function: "main"))
      let leaf = profile.intern(Frame(function: "leaf", isInlined: isInlined))
      let node = profile.stack(parent: profile.stack(parent: 0, frame: main), frame: leaf)
      profile.add(Profile.Sample(stack: node), values: [2])
    }
    #expect(writeFolded(profile) == "main;leaf 4\n")
    var marked = ""
    Folded.write(profile, marksInlined: true, to: &marked)
    #expect(marked == "main;leaf 2\nmain;leaf_[i] 2\n")
  }

  @Test func saturatesSums() throws {
    let profile = try readFolded("a \(Int64.max)\na 5\n")
    #expect(writeFolded(profile) == "a \(Int64.max)\n")
  }

  @Test func writesVeryDeepStacks() throws {
    let line = (0..<100_000).map { "f\($0 % 7)" }.joined(separator: ";") + " 1\n"
    #expect(writeFolded(try readFolded(line)) == line)
  }
}
