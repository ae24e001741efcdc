import Foundation
import Testing

/// Help, versions and mistakes on the command line.
@Suite struct UsageTests {
  private let anywhere = FileManager.default.temporaryDirectory

  @Test func overviewListsEverySubcommand() throws {
    let expected = """
      wick 0.1.0: a sampling profiler and flame graph generator for servers on Linux

      Usage: wick SUBCOMMAND …

        record      Runs a command and records where its CPU time goes.
        attach      Records a running process, which goes on serving.
        stop        Ends the recording of a process, whoever started it.
        switch      Changes which allocations are followed, while a process is recorded.
        status      Shows what is being recorded of a process.
        list        Lists the processes that have an agent, and what it does.
        report      Shows what takes the most CPU time or memory: functions, lines, processes, calls.
        annotate    Shows source code with the time that each line takes.
        flamegraph  Draws a flame graph as one SVG file.
        diff        Compares two profiles: what takes more, or less, than before.
        folded      Writes each stack as one line: root;…;leaf weight.
        dump        Shows what each thread of a live process does now: its stack.
        symbolize   Says which function and line addresses of a file belong to.
        cache       Shows or empties what is kept of programs' debug information.
        doctor      Says what works on this machine and for a program, and what to do.
        help        Shows how a subcommand is used.

      Begin with:

        wick attach PID -o server.svg --open
        wick record -- ./server
        wick flamegraph

      Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found or not permitted, 4 recording
      damaged (what was whole is still shown); 'record' keeps the code of its command.

      """
    for arguments in [["--help"], ["-h"], ["help"], ["help", "help"], ["help", "--help"]] {
      let outcome = try Command.run(Command.wick, arguments, folder: anywhere)
      #expect(outcome.exitCode == 0)
      #expect(outcome.output == expected)
    }
    #expect(try Command.run(folder: anywhere).exitCode == 2)
  }

  /// The paragraph on values in the pages of subcommands that show them.
  private static let values = """
    Of a recording with allocations NAME may be alloc_objects or alloc_space (allocated), inuse_objects
    or inuse_space (live at the end), peak or peak_objects (live at the high-water mark), temporary
    (freed before the thread's next allocation), lifetime, and retains or releases.
    """

  static let pages = [
    "attach": """
    Records a running process, which goes on serving.

    Usage: wick attach [OPTIONS] PID

    Brings the agent into the process unless it is there, and takes it out of work again at the end;
    the library stays mapped. The process goes on meanwhile: one of its threads that waits is held for
    about a millisecond. Records until --duration is over, Ctrl-C is pressed, or the process ends. The
    recording is written here, not by the process. If wick itself is killed, the agent stops.
    With --alloc the recording also has what is allocated from now on, and what becomes of it; what was
    allocated before is not known. 'wick switch' changes SIZE meanwhile.

    Options:
      -o, --output FILE         What to write, by its extension: .wick, .folded or .svg. May be repeated.
      -F, --rate HZ             Samples per second of CPU time, 1 to 10000 (99).
      -d, --duration SECONDS    Ends after this time; also '10s'.
          --engine ENGINE       auto, perf, perf-signal, timer or setitimer (auto).
          --alloc[=SIZE]        Follows allocations: one in SIZE bytes, such as 64k (512k), or all.
          --arc                 Counts retains and releases of Swift objects.
          --mmap                With --alloc: mappings of files and memory count, too.
          --children            Records the processes that it has started and starts, too.
          --open                Opens the flame graph in the browser.
          --join                Shares the session of another wick that records the process.
          --perf                Samples from outside by perf events: any program, by frame pointers only.
          --step                Also enters threads that never wait; holds one for some milliseconds.
          --allow-seccomp       Also enters a process whose filter of system calls might kill it for that.
      -h, --help                Shows this page.

    Example:
      wick attach 1234 --duration 10 -o server.svg --open

    """,
    "stop": """
    Ends the recording of a process, whoever started it.

    Usage: wick stop PID

    What was recorded is written by whoever records. The process goes on.

    Options:
      -h, --help                Shows this page.

    Example:
      wick stop 1234

    """,
    "switch": """
    Changes which allocations are followed, while a process is recorded.

    Usage: wick switch --alloc=SIZE PID

    Takes effect at once, in the recording that is under way, whoever started it. What is followed
    already stays so until it is freed.

    Options:
          --alloc SIZE          From now on one allocation in SIZE bytes (64k, 512k, 1m …), all, or off.
      -h, --help                Shows this page.

    Example:
      wick switch --alloc=all 1234

    """,
    "status": """
    Shows what is being recorded of a process.

    Usage: wick status PID

    Shows whether it is recorded, by which engine, at what rate, which allocations are followed, since
    when, for whom, and how much was sampled and lost by now.

    Options:
      -h, --help                Shows this page.

    Example:
      wick status 1234

    """,
    "list": """
    Lists the processes that have an agent, and what it does.

    Usage: wick list

    Those that are recorded now, and those that wait for 'wick attach' (WICK=idle). Other users'
    processes are listed for root only.

    Options:
      -h, --help                Shows this page.

    Example:
      wick list

    """,
    "report": """
    Shows what takes the most CPU time or memory: functions, lines, processes, calls.

    Usage: wick report [OPTIONS] [FILE]

    FILE is a recording, 'perf script' text, folded stacks, or '-' for standard input; without it
    the newest recording in the current folder is read. 'self' is the time in a function's own code,
    'total' that in it and in what it calls. With '--lines' the same of source lines; code of which
    no line is known is listed by function, so that nothing is left out.
    In trees a call stands below its caller, and is indented only where that has several; at more than
    24 of these its depth is said instead. F is a PATTERN, too; a recursion counts once, with its
    first call.
    With '--leaks' stacks are listed whose allocations are still live at the end, with their age; '--by
    type' counts alloc_space. Of sampled allocations ± is the 95 % interval.

    \(Self.values)

    \(SelectionTests.paragraph)

    Options:
      -l, --lines               Lists source lines.
          --by WHAT             Lists what WHAT takes: process, thread, module, file or type.
      -t, --tree                Shows who calls whom, from the threads' entries on.
          --callers F           Shows who calls F, and so on to the entries.
          --callees F           Shows what F calls, and so on.
          --leaks               Lists the stacks whose allocations are live at the end.
          --age TIME            Only what is live for so long, as '10s' (a tenth of the recording).
          --min-percent P       Leaves calls of less than P % out of trees (0.5).
      -n, --top N               How many lines of a list (20), or calls of a tree (all).
          --types               Ends stacks of allocations with the type of their objects.
          --processes           Begins each stack with its process.
          --threads             Begins each stack with its thread.
      -c, --value NAME          What is counted: samples, cpu, or of memory, see above (samples).
          --json                Writes JSON for programs.
      -o, --output FILE         Where to write (standard output).
    \(SelectionTests.options)
          --raw-names           Shows names as they are in the files, and all thunks.
          --debug-dir DIR       Where separate debug files are, too. May be repeated.
          --addresses           Leaves addresses as they are, without names.
      -v, --verbose             Says of each file what was read, and what is missing.
      -h, --help                Shows this page.

    Example:
      wick report --callers malloc --focus thread:worker server.wick

    """,
    "annotate": """
    Shows source code with the time that each line takes.

    Usage: wick annotate [OPTIONS] [FILE [FUNCTION|SOURCE[:LINE]]]

    FILE is a recording, or '-' for standard input; without it the newest recording in the current
    folder is read. FUNCTION shows one function's lines; its name may lack parameters and what
    stands before its last parts. SOURCE is a path or its last parts. Without these, the files on
    this machine that take the most time are shown. Beside each line stand the samples in itself
    and, as 'total', those in what it calls, too; 'Own' above are those in all lines and in what
    these call that has no source. '>' marks lines with many samples in themselves, and the one of
    which callers and instructions are shown. Where that was inlined is said.

    \(Self.values)

    \(SelectionTests.paragraph)

    Options:
      -a, --all                 Shows whole files, not only around lines with samples.
          --callers             Shows who calls the hottest line, or LINE.
      -d, --disassemble         Shows the instructions of that line, with samples.
      -n, --top N               How many files, where several could be (3).
      -c, --value NAME          What is counted: samples, cpu, or of memory, see above (samples).
          --source-dir DIR      Where sources are, too. May be repeated.
          --source-map FROM=TO  How paths begin here that were FROM… when built. May be repeated.
          --json                Writes JSON for programs.
          --html                Writes a page for a browser, as does FILE with .html.
      -o, --output FILE         Where to write (standard output).
    \(SelectionTests.options)
          --raw-names           Shows names as they are in the files, and all thunks.
          --debug-dir DIR       Where separate debug files are, too. May be repeated.
      -v, --verbose             Says of each file what was read, and what is missing.
      -h, --help                Shows this page.

    Example:
      wick annotate server.wick handle_request -o hot.html

    """,
    "dump": """
    Shows what each thread of a live process does now: its stack.

    Usage: wick dump [OPTIONS] PID

    Any process of yours, hung or stopped ones too; nothing is put into it. Threads that wait are
    read as they are; others are stopped one at a time, for as long as it takes to copy registers
    and stack, and a system call that this cuts short is made again (if with a timeout, that may
    begin anew). Within a write that has moved a part of its bytes a thread is not stopped: then
    frames may be missing that only its registers tell. Frames are listed from the innermost on, threads with the same stack together.
    Tracing may need root (kernel.yama.ptrace_scope).

    Options:
      -a, --all                 Shows each thread by itself.
          --force               Stops threads within a write, too, which that may cut short.
          --json                Writes JSON for programs.
      -o, --output FILE         Where to write (standard output).
          --raw-names           Shows names as they are in the files, and all thunks.
          --debug-dir DIR       Where separate debug files are, too. May be repeated.
          --addresses           Leaves addresses as they are, without names.
      -v, --verbose             Says of each file what was read, and what is missing.
      -h, --help                Shows this page.

    Example:
      wick dump 4711

    """,
    "symbolize": """
    Says which function and line addresses of a file belong to.

    Usage: wick symbolize [OPTIONS] -e FILE [ADDRESS…]

    ADDRESSes are hexadecimal and those of the file, as nm and objdump print them; without any they
    are read from standard input, one a line. Each gives its inlined calls, the innermost first, and
    the function around them: a line with the name, a line with file and line number; then an empty
    line. What is not known is '??', a line that is not known 0.

    Options:
      -e, --executable FILE     The program or library.
          --json                Writes JSON, one object a line for each address.
          --raw-names           Shows names as they are in the file.
          --no-cache            Reads all anew, and keeps nothing.
          --debug-dir DIR       Where separate debug files are, too. May be repeated.
      -v, --verbose             Says of each file what was read, and what is missing.
      -h, --help                Shows this page.

    Example:
      wick symbolize -e ./server 0x1a2b0

    """,
    "cache": """
    Shows or empties what is kept of programs' debug information.

    Usage: wick cache [clear]

    Debug information is read once for each build of a program and then kept, so that the next
    report need not read it again. Without a word this shows where and how much; 'clear' removes it.
    What is not used for long goes by itself when all is larger than 1 GiB.

    Options:
      -h, --help                Shows this page.

    Example:
      wick cache clear

    """,
    "doctor": """
    Says what works on this machine and for a program, and what to do.

    Usage: wick doctor [OPTIONS] [PROGRAM]

    Checks which way of sampling works here and why another does not, and whether a program has
    what good stacks and names need. Ends with 0 if the program can be recorded.

    Options:
          --json                Writes JSON for programs.
      -h, --help                Shows this page.

    Example:
      wick doctor ./server

    """,
    "folded": """
    Writes each stack as one line: root;…;leaf weight.

    Usage: wick folded [OPTIONS] [FILE]

    FILE is a recording, 'perf script' text, folded stacks, or '-' for standard input; without it
    the newest recording in the current folder is read. Every flame graph tool reads these lines.

    \(Self.values)

    \(SelectionTests.paragraph)

    Options:
      -o, --output FILE         Where to write (standard output).
      -c, --value NAME          What weights count: samples, cpu, or of memory, see above (samples).
          --types               Ends stacks of allocations with the type of their objects.
          --mark-inlined        Ends names of inlined functions with '_[i]'.
          --processes           Begins each stack with its process.
          --threads             Begins each stack with its thread.
    \(SelectionTests.options)
          --raw-names           Shows names as they are in the files, and all thunks.
          --debug-dir DIR       Where separate debug files are, too. May be repeated.
          --addresses           Leaves addresses as they are, without names.
      -v, --verbose             Says of each file what was read, and what is missing.
      -h, --help                Shows this page.

    Example:
      wick folded server.wick | grep handle_request

    """,
    "flamegraph": """
    Draws a flame graph as one SVG file.

    Usage: wick flamegraph [OPTIONS] [FILE]

    FILE is a recording, 'perf script' text, folded stacks, or '-' for standard input; without it
    the newest recording in the current folder is read. The SVG opens in any browser without a request
    to anywhere: click zooms, '/' searches, Escape goes back.

    \(Self.values)

    \(SelectionTests.paragraph)

    Options:
      -o, --output FILE         Where to write; '-' is standard output (FILE with .svg).
      -t, --title TEXT          Headline (the command's name).
          --subtitle TEXT       The line below (how it was recorded).
          --notes TEXT          A remark below the picture.
      -c, --value NAME          What widths count: samples, cpu, or of memory, see above (samples).
          --count-name TEXT     What the counts are called (samples).
          --colors NAME         By owner (whose code it is), or a hue: hot, mem, io, red, green, blue, \
    yellow, purple, aqua, orange.
          --width PIXELS        Width without script (1200).
          --height PIXELS       Height of a row (16).
          --min-width PIXELS    Narrower boxes only script shows (0.5).
          --types               Ends stacks of allocations with the type of their objects.
          --processes           Begins each stack with its process.
          --threads             Begins each stack with its thread.
    \(SelectionTests.options)
          --raw-names           Shows names as they are in the files, and all thunks.
          --debug-dir DIR       Where separate debug files are, too. May be repeated.
          --addresses           Leaves addresses as they are, without names.
      -v, --verbose             Says of each file what was read, and what is missing.
      -h, --help                Shows this page.

    Example:
      wick flamegraph server.wick -o server.svg

    """,
    "diff": """
    Compares two profiles: what takes more, or less, than before.

    Usage: wick diff [OPTIONS] BEFORE [AFTER]

    BEFORE and AFTER are recordings, 'perf script' text or folded stacks; BEFORE alone is folded text
    with two numbers a line. A list says which functions changed, self and total; with '--svg' a flame
    graph shows where: boxes are as wide as after, orange is more, blue is less, and at the right
    stands what is no more. What chance explains (3 standard deviations of the counts) is grey.
    Recordings of different length are compared with '--normalize total', as shares, or with
    '--requests', by what a request costs.

    \(Self.values)

    \(SelectionTests.paragraph)

    Options:
          --svg FILE            Draws a flame graph of the differences.
          --json                Writes JSON for programs: all functions and call paths.
      -n, --top N               How many functions (20).
          --normalize HOW       Scales BEFORE: total makes the sums equal (none).
          --requests B,A        Scales BEFORE by the requests that both have served.
      -c, --value NAME          What is compared: samples, cpu, or of memory, see above (samples).
      -t, --title TEXT          Headline of the flame graph.
      -o, --output FILE         Where to write the list (standard output).
    \(SelectionTests.options)
          --raw-names           Shows names as they are in the files, and all thunks.
          --debug-dir DIR       Where separate debug files are, too. May be repeated.
          --addresses           Leaves addresses as they are, without names.
      -v, --verbose             Says of each file what was read, and what is missing.
      -h, --help                Shows this page.

    Example:
      wick diff --normalize total --svg change.svg before.wick after.wick

    """,
    "record": """
    Runs a command and records where its CPU time goes.

    Usage: wick record [OPTIONS] [--] COMMAND [ARGUMENTS…]

    The command runs as it would without wick, keeps its terminal and its exit code (128 + n if a
    signal n ends it). Ctrl-C ends the command as usual, and the recording is written; a second
    Ctrl-C leaves at once. Programs that the command starts are recorded too.
    With --alloc the recording also has what is allocated, from the first instruction on, and what
    becomes of it. An allocation is followed with a chance by its size, so that estimates are unbiased;
    smaller SIZEs make them finer and cost more.

    Options:
      -o, --output FILE         What to write, by its extension: .wick, .folded or .svg. May be repeated.
      -F, --rate HZ             Samples per second of CPU time, 1 to 10000 (99).
      -d, --duration SECONDS    Ends the command with SIGTERM after this time.
          --engine ENGINE       auto, perf, perf-signal, timer or setitimer (auto).
          --alloc[=SIZE]        Follows allocations: one in SIZE bytes, such as 64k (512k), or all.
          --arc                 Counts retains and releases of Swift objects.
          --mmap                With --alloc: mappings of files and memory count, too.
          --no-children         Records the command itself only.
      -h, --help                Shows this page.

    Example:
      wick record -o server.svg -- ./server --port 8080

    """,
  ]

  @Test(arguments: pages.keys.sorted()) func pagesAreAsTheyAre(name: String) throws {
    for arguments in [[name, "--help"], [name, "-h"], ["help", name]] {
      let outcome = try Command.run(Command.wick, arguments, folder: anywhere)
      #expect(outcome.exitCode == 0)
      #expect(outcome.output == Self.pages[name])
    }
  }

  @Test func versionIsPrinted() throws {
    let outcome = try Command.run("--version", folder: anywhere)
    #expect(outcome.exitCode == 0)
    #expect(outcome.output == "wick 0.1.0\n")
  }

  static let mistakes: [([String], String)] = [
    (["recrod", "true"], "there is no subcommand 'recrod'; did you mean 'record'?"),
    (["xyzzy"], "there is no subcommand 'xyzzy'"),
    (["report", "--out", "x"], "unknown option '--out'; did you mean '--output'?"),
    (["report", "--jsno"], "unknown option '--jsno'; did you mean '--json'?"),
    (["report", "a", "b"], "'b' is one argument too many"),
    (["report", "-n", "0"], "'--top' must be a whole number from 1 to 1000000, not '0'"),
    (["report", "-n", "many"], "'--top' must be a whole number from 1 to 1000000, not 'many'"),
    (["report", "-n"], "'--top' needs a value: N"),
    (["report", "--age", "1s"], "'--age' is for '--leaks'"),
    (["report", "--leaks", "--age", "soon"], "'--age' must be a time such as 10, 10s, 500ms or"),
    (["report", "--leaks", "--lines"], "'--lines' and '--leaks' are two reports; choose one"),
    (["report", "--leaks", "--value", "peak"], "'--leaks' counts inuse_space"),
    (["report", "--types"], "'--types' is for '--tree' and '--callees'; see '--by type'"),
    (["report", "--by", "typ"], "'file', 'type', not 'typ'"),
    (["annotate", "a", "b", "c"], "'c' is one argument too many"),
    (["annotate", "--source-map", "x"], "'--source-map' must be FROM=TO, not 'x'"),
    (["annotate", "--source-map", "=x"], "'--source-map' must be FROM=TO, not '=x'"),
    (["annotate", "--json", "--html"], "'--json' and a page cannot be one file"),
    (["annotate", "--json", "-o", "x.html"], "'--json' and a page cannot be one file"),
    (["report", "--json=yes"], "'--json' takes no value"),
    (["report", "-n", "1", "-n2"], "'--top' is given twice"),
    (["record"], "name a command to run, as in 'wick record -- ./server'"),
    (["record", "--"], "name a command to run, as in 'wick record -- ./server'"),
    (["record", "-F", "10001", "true"], "must be a whole number from 1 to 10000, not '10001'"),
    (["record", "-F0", "true"], "must be a whole number from 1 to 10000, not '0'"),
    (
      ["record", "--engine", "magic", "true"],
      "must be one of 'auto', 'perf', 'perf-signal', 'timer', 'setitimer', not 'magic'"
    ),
    (["record", "-o", "x.png", "true"], "'x.png' must end in .wick, .folded or .svg"),
    (["symbolize"], "name a file, as in 'wick symbolize -e ./server 0x1a2b0'"),
    (["symbolize", "-e", "x", "0x12zz"], "'0x12zz' is no hexadecimal address"),
    (["symbolize", "-e", "x", "0x"], "'0x' is no hexadecimal address"),
    (["symbolize", "-e", "x", "10000000000000000"], "is no hexadecimal address"),
    (["cache", "empty"], "'empty' is unknown here; there is only 'clear'"),
    (["record", "-d", "-1", "true"], "'--duration' must be a whole number"),
    (["record", "--alloc", "--alloc=all", "true"], "'--alloc' is given twice"),
    (["record", "--mmap", "--arc", "true"], "'--mmap' counts mappings among the allocations"),
    (["attach", "--mmap", "1"], "'--mmap' counts mappings among the allocations"),
    (["switch", "1"], "say what to follow from now on: '--alloc=64k', 'all' or 'off'"),
    (["switch", "--alloc"], "'--alloc' needs a value: SIZE"),
    (["switch", "--alloc", "off"], "name a process; 'wick list' shows those with an agent"),
    (["switch", "--alloc=off", "word"], "'word' is no process id"),
    (["switch", "--alloc=of", "1"], "or 'all', or 'off', not 'of'"),
  ]

  @Test(arguments: mistakes) func mistakesGetOneLineAndCodeTwo(words: [String], line: String) throws
  {
    let outcome = try Command.run(Command.wick, words, folder: anywhere)
    #expect(outcome.exitCode == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.hasPrefix("wick: "))
    #expect(outcome.errors.contains(line))
    #expect(outcome.errors.split(separator: "\n").count == 1)
  }
}
