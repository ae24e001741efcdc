import Testing
import WickFormats
import WickProfile

/// The lines below an event.
@Suite struct PerfScriptFrameTests {
  private static let event = "app 12/12 1.000001: 1 cycles: \n"

  /// The frames of a sample's only stack without the thread's name, leaf first.
  private func frames(_ lines: String) throws -> (frames: [Frame], profile: Profile) {
    let profile = try readPerfScript(Self.event + lines + "\n\n")
    #expect(profile.samples.count == 1)
    #expect(profile.origin.warnings == [])
    let stack = profile.stacks.framesLeafFirst(of: profile.samples[0].stack)
    return (stack.dropLast().map { profile.frames[$0] }, profile)
  }

  @Test(
    arguments: [
      ("\t  401126 work+0x16 (/bin/app)", 0x401126, "work", "/bin/app"),
      ("\t  401126 work (/bin/app)", 0x401126, "work", "/bin/app"),
      (
        "ffffffff816b47d6 do_open+0x2 ([kernel.kallsyms])", 0xffff_ffff_816b_47d6, "do_open",
        "[kernel.kallsyms]"
      ),
      ("    7f10 read\t(/lib/libc.so.6)", 0x7f10, "read", "/lib/libc.so.6"),
      ("\t 40 nf_hook+0x1 ([nf_conntrack])", 0x40, "nf_hook", "[nf_conntrack]"),
      // Not known: called by the module.
      ("\t 40 [unknown] (/lib/libc.so.6)", 0x40, "[libc.so.6]", "/lib/libc.so.6"),
      ("\t 40 [unknown] ([unknown])", 0x40, "[unknown]", nil),
      ("\t 40 [unknown] ([vdso])", 0x40, "[vdso]", "[vdso]"),
      ("\t 40 [unknown] (/tmp/x (deleted))", 0x40, "[x (deleted)]", "/tmp/x (deleted)"),
      ("\t 40 (/lib/libc.so.6)", 0x40, "[libc.so.6]", "/lib/libc.so.6"),
      ("\t 40 ([unknown])", 0x40, "[unknown]", nil),
      ("\t 40", 0x40, "[unknown]", nil),
      ("\t 40 main", 0x40, "main", nil),
      ("\t 40 main+0x12 ()", 0x40, "main", nil),
      // Names with parentheses and spaces.
      (
        "\t 40 (anonymous namespace)::run(int, char const*)+0x1f (/bin/app)", 0x40,
        "(anonymous namespace)::run(int, char const*)", "/bin/app"
      ),
      (
        "\t 40 ns::(anonymous namespace)::run(int) (/bin/app)", 0x40,
        "ns::(anonymous namespace)::run(int)", "/bin/app"
      ),
      (
        "\t 40 std::function<void (int)>::operator()(int) const+0x8 (/bin/app)", 0x40,
        "std::function<void (int)>::operator()(int) const", "/bin/app"
      ),
      (
        "\t 40 void call<void (*)(int)>(void (*)(int)) (/bin/app)", 0x40,
        "void call<void (*)(int)>(void (*)(int))", "/bin/app"
      ),
      (
        "\t 40 net/http.(*Client).Do+0x1 (/bin/server)", 0x40, "net/http.(*Client).Do",
        "/bin/server"
      ),
      (
        "\t 40 Lorg/x/Context;.call(Lorg/x/Action;)Ljava/lang/Object; (/tmp/perf-7539.map)", 0x40,
        "Lorg/x/Context;.call(Lorg/x/Action;)Ljava/lang/Object;", "/tmp/perf-7539.map"
      ),
      ("\t 40 RegExp:[&<>\"'] (/tmp/perf-7539.map)", 0x40, "RegExp:[&<>\"']", "/tmp/perf-7539.map"),
      ("\t 40 operator->+0x1 (/bin/app)", 0x40, "operator->", "/bin/app"),
      (
        "\t 40 std::unique_ptr<A>::operator->() const (/bin/app)", 0x40,
        "std::unique_ptr<A>::operator->() const", "/bin/app"
      ),
      ("\t 40 call<fn() -> i32> (/bin/app)", 0x40, "call<fn() -> i32>", "/bin/app"),
      (
        "\t 40 closure #1 () -> () in main+0x4 (/bin/app)", 0x40, "closure #1 () -> () in main",
        "/bin/app"
      ),
      ("\t 40 a+0x10b+0x2 (/bin/app)", 0x40, "a+0x10b", "/bin/app"),
      // Paths with spaces and parentheses; an offset in the module.
      ("\t 40 main+0x1 (/opt/My App/bin)", 0x40, "main", "/opt/My App/bin"),
      ("\t 40 main+0x1 (/tmp/app (deleted))", 0x40, "main", "/tmp/app (deleted)"),
      ("\t 40 main (/tmp/app (deleted))", 0x40, "main", "/tmp/app (deleted)"),
      ("\t 40 main+0x1 (/tmp/a)b (c)", 0x40, "main", "/tmp/a)b (c"),
      ("\t 40 main+0x1 (/bin/app+0x1126)", 0x40, "main", "/bin/app"),
      ("\t 40 main+0x1 (/memfd:jit (deleted))", 0x40, "main", "/memfd:jit (deleted)"),
      ("\t 40 main+0x1 (//anon)", 0x40, "main", "//anon"),
    ] as [(String, UInt64, String, String?)])
  func splitsAFrame(line: String, address: UInt64, name: String, module: String?) throws {
    for end in ["", "\r"] {
      let (frames, profile) = try frames(line + end)
      #expect(
        frames == [
          Frame(
            kind: .instruction, module: module == nil ? nil : 0, address: address, function: name)
        ])
      #expect(profile.modules.map(\.path) == (module.map { [$0] } ?? []))
      #expect(profile.name(of: frames[0]) == name)
    }
  }

  @Test func arrowsAreInlinedFunctions() throws {
    let (frames, _) = try frames(
      "\t 40 A::x->B::y->C::<init> (/tmp/perf-1.map)\n\t 50 main (/bin/app)")
    #expect(
      frames == [
        Frame(
          kind: .instruction, module: 0, address: 0x40, function: "C::<init>", isInlined: true),
        Frame(kind: .instruction, module: 0, address: 0x40, function: "B::y", isInlined: true),
        Frame(kind: .instruction, module: 0, address: 0x40, function: "A::x"),
        Frame(kind: .returnAddress, module: 1, address: 0x50, function: "main"),
      ])
  }

  @Test func inlinedFramesBelongToTheModuleOfTheNext() throws {
    let (frames, _) = try frames(
      """
      \t 40 add(int) (inlined)
      \t 40 std::plus<int>::operator()(int) const (inlined)
      \t 40 work+0x10 (/bin/app)
      \t 50 run (inlined)
      \t 50 main+0x5 (/bin/app)
      """)
    #expect(
      frames == [
        Frame(kind: .instruction, module: 0, address: 0x40, function: "add(int)", isInlined: true),
        Frame(
          kind: .instruction, module: 0, address: 0x40,
          function: "std::plus<int>::operator()(int) const", isInlined: true),
        Frame(kind: .instruction, module: 0, address: 0x40, function: "work"),
        Frame(kind: .returnAddress, module: 0, address: 0x50, function: "run", isInlined: true),
        Frame(kind: .returnAddress, module: 0, address: 0x50, function: "main"),
      ])
  }

  /// As perf prints it where what a function is inlined into cannot be told.
  @Test func inlinedFramesOfAnotherAddressHaveNoModule() throws {
    let (frames, _) = try frames(
      """
      \t 40 work+0x10 (/bin/app)
      \t 27304 __libc_start_main_impl+0x84 (inlined)
      \t 960 _start+0x20 (/bin/app)
      """)
    #expect(
      frames == [
        Frame(kind: .instruction, module: 0, address: 0x40, function: "work"),
        Frame(
          kind: .returnAddress, address: 0x27304, function: "__libc_start_main_impl",
          isInlined: true),
        Frame(kind: .returnAddress, module: 0, address: 0x960, function: "_start"),
      ])
  }

  @Test func sourceLinesBelongToTheFrameAbove() throws {
    let (frames, _) = try frames(
      """
      \t 40 add
        work.h:12 (inlined)
      \t 40 twice
        /src/my code/work.c:25 (discriminator 3) (inlined)
      \t 40 work+0x10 (/bin/app)
        work.c:30
      \t 50 read+0x1 (/lib/libc.so.6)
        libc.so.6[50]
      \t 60 open+0x1 (/lib/libc.so.6)
        open+18446603336221196287
      \t 70 main+0x5 (/bin/app)
        ??:0
      \t 80 _start+0x5 (/bin/app)
        :0
      """)
    #expect(
      frames == [
        Frame(
          kind: .instruction, module: 0, address: 0x40, function: "add", file: "work.h", line: 12,
          isInlined: true),
        Frame(
          kind: .instruction, module: 0, address: 0x40, function: "twice",
          file: "/src/my code/work.c", line: 25, isInlined: true),
        Frame(
          kind: .instruction, module: 0, address: 0x40, function: "work", file: "work.c", line: 30),
        Frame(kind: .returnAddress, module: 1, address: 0x50, function: "read"),
        Frame(kind: .returnAddress, module: 1, address: 0x60, function: "open"),
        Frame(kind: .returnAddress, module: 0, address: 0x70, function: "main"),
        Frame(kind: .returnAddress, module: 0, address: 0x80, function: "_start"),
      ])
  }

  @Test func remarksAreNoFrames() throws {
    let (frames, _) = try frames("\t 40 (bash) (/bin/bash)\n\t 50 main (/bin/bash)")
    #expect(frames.map(\.function) == ["main"])
    #expect(frames[0].kind == .instruction)
  }
}
