import Testing
import WickFormats
import WickProfile

func readPerfScript(
  _ text: String, event: String? = nil
) throws(PerfScriptError) -> Profile {
  try PerfScript.read(Array(text.utf8).span.bytes, event: event)
}

func recognizesPerfScript(_ text: String) -> Bool {
  PerfScript.recognizes(Array(text.utf8).span.bytes)
}

/// The lines that begin samples.
@Suite struct PerfScriptEventTests {
  private static let frames = "\t  401126 work+0x16 (/bin/app)\n\t  401200 main+0x10 (/bin/app)\n\n"

  @Test func readsThreadsTimesAndPeriods() throws {
    let profile = try readPerfScript(
      """
      # ========
      # captured on : Sat Nov 21 13:11:59 2026
      # ========
      #
      app  3139/3141 [001]  1444.257343:    1001001 cpu-clock: 
      \t          401126 work+0x16 (/bin/app)
      \t          401200 main+0x10 (/bin/app)

      app  3139/3139 [000]  1444.257993:    1001001 cpu-clock: 
      \t          401201 main+0x11 (/bin/app)

      """)
    #expect(profile.valueTypes == [.samples, ValueType(name: "cpu-clock", unit: "nanoseconds")])
    #expect(profile.columns == [[1, 1], [1_001_001, 1_001_001]])
    #expect(profile.paths == [["app", "main", "work"], ["app", "main"]])
    #expect(
      profile.threads == [
        Profile.Thread(pid: 3139, tid: 3141, name: "app"),
        Profile.Thread(pid: 3139, tid: 3139, name: "app"),
      ])
    #expect(profile.samples.map(\.thread) == [0, 1])
    #expect(profile.samples.map(\.nanoseconds) == [0, 650_000])
    #expect(profile.origin.durationNanoseconds == 650_000)
    #expect(profile.origin.periodNanoseconds == 1_001_001)
    #expect(profile.origin.warnings == [])
    #expect(profile.origin.processes == [])
    #expect(profile.modules.map(\.path) == ["/bin/app"])
    #expect(
      profile.stacks.framesLeafFirst(of: profile.samples[0].stack).map { profile.frames[$0] } == [
        Frame(kind: .instruction, module: 0, address: 0x401126, function: "work"),
        Frame(kind: .returnAddress, module: 0, address: 0x401200, function: "main"),
        Frame(function: "app"),
      ])
    #expect(writeFolded(profile) == "app;main 1\napp;main;work 1\n")
  }

  @Test(
    arguments: [
      ("app 12 1.000001: cycles:", "app", 0, 12, nil, "cycles"),
      ("app 12/13 1.000001: cycles:u:", "app", 12, 13, nil, "cycles:u"),
      ("app 12 [003] 1.000001: 77 cycles:", "app", 0, 12, 77, "cycles"),
      (
        "app 12/13 [003] 1.000000001: 77 cpu_core/cycles/P:", "app", 12, 13, 77, "cpu_core/cycles/P"
      ),
      // Without a time.
      ("app 12 cycles:", "app", 0, 12, nil, "cycles"),
      ("app 12/13 77 cycles:", "app", 12, 13, 77, "cycles"),
      ("app 12 [003] 77 cycles:", "app", 0, 12, 77, "cycles"),
      ("app 12 [003] cycles:", "app", 0, 12, nil, "cycles"),
      // Names: leading spaces, spaces, digits at the end, slashes, colons, none of its own.
      ("            app    12 [000] 1.000001: 1 cycles:", "app", 0, 12, 1, "cycles"),
      ("V8 Worker Thre 12/13 1.000001: 1 cycles:", "V8 Worker Thre", 12, 13, 1, "cycles"),
      ("worker 3  12 [000] 1.000001: 1 cycles:", "worker 3", 0, 12, 1, "cycles"),
      ("worker 3  12/14  1.000001: cycles:", "worker 3", 12, 14, nil, "cycles"),
      ("kworker/1:2-ev 12 [000] 1.000001: 1 cycles:", "kworker/1:2-ev", 0, 12, 1, "cycles"),
      ("at 1.5: now 12 1.000001: 1 cycles:", "at 1.5: now", 0, 12, 1, "cycles"),
      (":4711  4711 1.000001: 1 cycles:", ":4711", 0, 4711, 1, "cycles"),
      ("dd 12 1.000001: 1 cycles:", "dd", 0, 12, 1, "cycles"),
      ("\u{fc}ber app 12 1.000001: 1 cycles:", "über app", 0, 12, 1, "cycles"),
      // Flags between CPU and time; SimplePerf's tabs; an event of two words; an odd last space.
      ("app 12 [003] d..2. 1.000001: 1 cycles:", "app", 0, 12, 1, "cycles"),
      ("app\t12/13 [003] 1.000001: 1 cpu-cycles:", "app", 12, 13, 1, "cpu-cycles"),
      ("app\t12 [003] 1.000000001:\t1 cpu-cycles:u:", "app", 0, 12, 1, "cpu-cycles:u"),
      ("app 12 [003] 1.000001: 1 raw 0x1c2: ", "app", 0, 12, 1, "raw 0x1c2"),
      // Arguments of tracepoints.
      (
        "app 12 [003] 1.000001: sched:sched_switch: prev_comm=app prev_pid=12 ==> next_comm=x:",
        "app", 0, 12, nil, "sched:sched_switch"
      ),
      (
        "app 12 [003] 1.000001: 5 syscalls:sys_enter_read: fd: 0x3, buf: 0x7f (x)",
        "app", 0, 12, 5, "syscalls:sys_enter_read"
      ),
      // Numbers beyond all bounds.
      (
        "app 99999999999/99999999999 99999999999999999999.9: 99999999999999999999 x:",
        "app", 4_294_967_295, 4_294_967_295, Int64.max, "x"
      ),
    ] as [(String, String, UInt32, UInt32, Int64?, String)])
  func splitsAnEvent(
    line: String, comm: String, pid: UInt32, tid: UInt32, period: Int64?, event: String
  ) throws {
    for end in ["\n", "\r\n"] {
      let text = (line + "\n" + Self.frames).replacing("\n", with: end)
      #expect(recognizesPerfScript(text))
      let profile = try readPerfScript(text, event: event)
      #expect(profile.threads == [Profile.Thread(pid: pid, tid: tid, name: comm)])
      #expect(profile.paths == [[comm.replacing(" ", with: "_"), "main", "work"]])
      #expect(profile.columns == (period.map { [[1], [$0]] } ?? [[1]]))
      #expect(
        profile.valueTypes
          == [.samples] + (period == nil ? [] : [ValueType(name: event, unit: "count")]))
      #expect(profile.origin.warnings == [])
    }
  }

  @Test func clocksCountNanoseconds() throws {
    for event in ["cpu-clock", "task-clock", "cpu-clock:u", "task-clock:ppp"] {
      let profile = try readPerfScript("app 12 1.5: 250000 \(event): \n\(Self.frames)")
      #expect(profile.valueTypes[1] == ValueType(name: event, unit: "nanoseconds"))
      #expect(profile.origin.periodNanoseconds == 250_000)
    }
  }

  @Test func onlyTheFirstEventIsCounted() throws {
    let text = ["cycles", "faults", "cycles", "faults", "faults", "signals"].map {
      "app 12 1.5: 3 \($0): \n\t 40 \($0)_work+0x1 (/bin/app)\n\n"
    }.joined()
    let profile = try readPerfScript(text)
    #expect(profile.columns == [[1, 1], [3, 3]])
    #expect(profile.valueTypes[1].name == "cycles")
    #expect(profile.frames.map(\.function) == ["app", "cycles_work"])
    #expect(
      profile.origin.warnings == [
        "Left out 4 samples of other events than 'cycles': 'faults', 'signals'."
      ])
    let faults = try readPerfScript(text, event: "faults")
    #expect(faults.columns == [[1, 1, 1], [3, 3, 3]])
    #expect(throws: PerfScriptError.noEvent(known: ["cycles", "faults", "signals"])) {
      try readPerfScript(text, event: "instructions")
    }
  }

  @Test func aThreadHasItsLatestName() throws {
    let profile = try readPerfScript(
      """
      perf-exec 7/7 1.1: cycles:
      \t40 exec (/bin/perf)

      app 7/7 1.2: cycles:
      \t40 main (/bin/app)


      """)
    #expect(profile.threads == [Profile.Thread(pid: 7, tid: 7, name: "app")])
    #expect(profile.paths == [["perf-exec", "exec"], ["app", "main"]])
  }

  @Test func recordsThatAreNoSamplesAreSkipped() throws {
    let profile = try readPerfScript(
      """
      app 7/7 [000] 1.1: PERF_RECORD_COMM exec: app:7/7
      app 7/7 [000] 1.1: PERF_RECORD_MMAP2 7/7: [0x40(0x1) @ 0 fe:01 1 1]: r-xp /bin/app
      app 7/7 [000] 1.2: 5 cycles:
      \t40 main (/bin/app)

      app 7/7 [000] 1.3: PERF_RECORD_EXIT(7:7):(7:7)
      """)
    #expect(profile.paths == [["app", "main"]])
    #expect(profile.columns == [[1], [5]])
    #expect(profile.origin.warnings == [])
  }

  @Test func samplesWithoutCallChainsAreOneLine() throws {
    let profile = try readPerfScript(
      """
                   app    12 1.000001:     1001001 cpu-clock:      401126 work+0x16 (/bin/app)
                   app    12 1.000002:     1001001 cpu-clock:  ffffffff816b47d6 do_open+0x2 ([kernel.kallsyms])
                   app    12 1.000003:     1001001 cpu-clock:      401126 work+0x16 (/bin/app)
      """)
    #expect(profile.paths == [["app", "work"], ["app", "do_open"], ["app", "work"]])
    #expect(profile.total(of: 1) == 3_003_003)
    #expect(profile.frames[1].kind == .instruction)
    #expect(profile.origin.warnings == [])
    // Fields left out: no event, then nothing but arguments.
    let noEvent = try readPerfScript("app 12 1.5: 401000 main+0x1 (/bin/app)\n")
    #expect(noEvent.paths == [["app", "main"]])
    #expect(noEvent.valueTypes == [.samples])
    let tracepoint = try readPerfScript(
      "app 12 1.5: sched:sched_switch: x=1\n  b 13 1.6: sched:sched_switch: x=2\n")
    #expect(tracepoint.paths == [["app"], ["b"]])
    #expect(tracepoint.origin.warnings == [])
  }
}
