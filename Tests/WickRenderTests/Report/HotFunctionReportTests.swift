import Foundation
import Testing
import WickProfile
import WickRender

@Suite struct HotFunctionReportTests {
  /// A profile as a recording gives it, with each kind of loss.
  static var recorded: Profile {
    var profile = Profile(valueTypes: [.samples, .cpu])
    profile.modules = ["/usr/bin/server", "/lib/libc.so.6"].map {
      Module(path: $0, buildID: [1], loadBias: 0, extent: 0..<0x1000)
    }
    profile.threads = [Profile.Thread(pid: 4711, tid: 4711, name: "main")]
    let main = profile.intern(Frame(module: 0, address: 0x10, function: "main"))
    let serve = profile.intern(Frame(module: 0, address: 0x20, function: "serve(_: Request)"))
    let copy = profile.intern(
      Frame(kind: .instruction, module: 1, address: 0x30, function: "memcpy"))
    let nameless = profile.intern(Frame(kind: .instruction, module: 1, address: 0xabc))
    let cut = profile.intern(Frame(kind: .truncated, function: "[truncated: too deep]"))
    func add(_ frames: [Int], _ weight: Int64) {
      let node = frames.reduce(0) { profile.stack(parent: $0, frame: $1) }
      profile.add(
        Profile.Sample(stack: node, thread: 0), values: [weight, weight * 10_101_010])
    }
    add([main, serve, copy], 60)
    add([main, serve], 25)
    add([main, serve, serve], 5)
    add([cut, nameless], 7)
    var process = Origin.Process(pid: 4711)
    process.info = [
      "command": "server --port 80", "engine": "thread CPU timer",
      "fallback": "perf_event_open: not permitted",
    ]
    process.statistics = [
      "samples": 4, "weight": 97, "lostRingFull": 2, "lostNoSlot": 0, "lostStackTable": 1,
      "processCPUNanoseconds": 1_030_000_000, "agentCPUNanoseconds": 10_000_000,
      "framePointerSteps": 2,
    ]
    process.blockedThreads = [
      Origin.BlockedThread(tid: 4713, name: "deaf", cpuNanoseconds: 30_000_000)
    ]
    process.endReason = "stopped"
    profile.origin.processes = [process]
    profile.origin.rateHertz = 99
    profile.origin.periodNanoseconds = 10_101_010
    profile.origin.startRealtimeNanoseconds = 1_700_000_000_000_000_000
    profile.origin.durationNanoseconds = 2_000_400_000
    return profile
  }

  static func text(_ profile: Profile, column: Int = 0, limit: Int = 20) -> String {
    var text = ""
    HotFunctionReport(profile, column: column, limit: limit).writeText(to: &text)
    return text
  }

  static func json(_ profile: Profile, column: Int = 0, limit: Int = 20) -> String {
    var text = ""
    HotFunctionReport(profile, column: column, limit: limit).writeJSON(to: &text)
    return text
  }

  /// A profile of named stacks, as text formats give it.
  static func named(_ stacks: [([String], Int64)]) -> Profile {
    var profile = Profile(valueTypes: [.samples])
    for (names, weight) in stacks {
      let node = names.reduce(0) {
        profile.stack(parent: $0, frame: profile.intern(Frame(function: $1)))
      }
      profile.add(Profile.Sample(stack: node), values: [weight])
    }
    return profile
  }

  @Test func showsARecordedProfile() {
    #expect(
      Self.text(Self.recorded) == """
        Process    4711, stopped: server --port 80
        Engine     thread CPU timer
        Fallback   perf_event_open: not permitted
        Rate       99 Hz requested, 95.10 Hz delivered
        Duration   2.000 s
        CPU time   1.020 s used, 0.980 s sampled, 0.040 s (3.94 %) not sampled
        Samples    4, weight 97
        Lost       3 (ring full 2, stack table full 1) of the weight
        Truncated  7 of the weight, 7.22 %
        Blocked    thread 4713 deaf blocks the sampling signal: 30.000 ms not sampled

        Showing the top 5 of 5 functions: 100.00 % of 97 samples

        self  self %  total  total %  function               module
          60   61.86     60    61.86  memcpy                 libc.so.6
          30   30.93     90    92.78  serve(_: Request)      server
           7    7.22      7     7.22  libc.so.6+0xabc        libc.so.6
           0    0.00     90    92.78  main                   server
           0    0.00      7     7.22  [truncated: too deep]

        Accounting: 4 samples of weight 97; expected 101; \
        lost 3 (ring full 2, stack table full 1); 7.22 % truncated; 50.00 % by frame pointer; \
        3.94 % unsampled CPU.

        """)
  }

  @Test func showsCPUTimeOfTheTop() {
    let text = Self.text(Self.recorded, column: 1, limit: 2)
    let table = text.split(separator: "\n").drop { !$0.hasPrefix("Showing") }
    #expect(
      table.joined(separator: "\n") == """
        Showing the top 2 of 5 functions: 92.78 % of 979.798 ms cpu
              self  self %       total  total %  function           module
        606.061 ms   61.86  606.061 ms    61.86  memcpy             libc.so.6
        303.030 ms   30.93  909.091 ms    92.78  serve(_: Request)  server
        Accounting: 4 samples of weight 97; expected 101; \
        lost 3 (ring full 2, stack table full 1); 7.22 % truncated; 50.00 % by frame pointer; \
        3.94 % unsampled CPU.
        """)
  }

  @Test func showsAProfileWithoutARecorder() {
    #expect(
      Self.text(Self.named([(["main", "f"], 2), (["main", "g"], 1)])) == """
        Samples    2, weight 3

        Showing the top 3 of 3 functions: 100.00 % of 3 samples

        self  self %  total  total %  function  module
           2   66.67      2    66.67  f
           1   33.33      1    33.33  g
           0    0.00      3   100.00  main

        Accounting: 2 samples of weight 3; expected not known; lost not known; 0.00 % truncated.

        """)
  }

  @Test func showsAnEmptyProfile() {
    let text = Self.text(Profile(valueTypes: [.samples, .cpu]))
    #expect(text.contains("Showing the top 0 of 0 functions: 0.00 % of 0 samples"))
    #expect(text.contains("CPU time   0 ns sampled"))
    #expect(
      text.hasSuffix(
        "Accounting: 0 samples of weight 0; expected not known; lost not known; "
          + "0.00 % truncated.\n"))
  }

  @Test func showsWarningsAndProcesses() {
    var profile = Self.recorded
    profile.origin.isIncomplete = true
    profile.origin.warnings = (1...10).map { "Warning \($0)." }
    profile.origin.processes[0].isUserOnly = true
    profile.origin.processes[0].info["command"] = String(repeating: "x", count: 1000)
    profile.origin.processes += (1...9).map { Origin.Process(pid: $0) }
    let text = Self.text(profile)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.filter { $0.hasPrefix("Process ") }.count == 8)
    #expect(lines.contains("           and 2 more processes"))
    #expect(lines.contains("Process    1, cut short"))
    #expect(lines[0] == "Processes  10, 1 with samples")
    #expect(lines[1] == "Process    4711, stopped: \(String(repeating: "x", count: 100))…")
    #expect(lines.contains("Kernel     time in the kernel was not sampled"))
    #expect(lines.filter { $0.hasPrefix("Warning ") }.count == 8)
    #expect(lines.contains("           and 2 more warnings"))
    #expect(lines.last?.hasSuffix("% by frame pointer; incomplete, see the warnings.") == true)
  }

  /// Names come from files: none may reach the terminal as a command.
  @Test func keepsNamesHarmless() {
    var profile = Self.named([(["\u{1b}[31mred\r\n", "a\u{202e}b\u{9b}2J", "日本"], 1)])
    profile.origin.warnings = ["bell \u{7}"]
    let text = Self.text(profile)
    #expect(
      text.unicodeScalars.allSatisfy {
        $0 == "\n" || ![.control, .format].contains($0.properties.generalCategory)
      })
    #expect(text.contains("日本"))
    #expect(text.contains("\u{fffd}[31mred\u{fffd}\u{fffd}"))
  }

  @Test func isTheSameForTheSameProfile() {
    #expect(Self.text(Self.recorded) == Self.text(Self.recorded))
    #expect(Self.json(Self.recorded) == Self.json(Self.recorded))
    let names = ["a", "b", "c", "d", "e", "f"]
    let ways = [names, names.reversed()].map { Self.named($0.map { ([$0], 1) }) }
    #expect(Self.text(ways[0]) == Self.text(ways[1]))
  }

  @Test func longNamesDoNotPushModules() {
    let long = String(repeating: "x", count: 200)
    let text = Self.text(Self.named([([long], 1), (["short"], 1)]))
    #expect(text.contains("  \(long)\n"))
    #expect(text.contains("  short\n"))
  }
}
