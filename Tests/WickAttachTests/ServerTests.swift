import Foundation
import Glibc
import Testing
import WickTestPrograms

/// Servers under load, whose clients must not notice anything.
@Suite(.serialized, .timeLimit(.minutes(30))) struct ServerTests {
  /// A program run again and again until it is told to stop; fails at the first failure.
  private func load(_ command: String, in folder: URL) throws -> Program {
    // Standard input ends when the test has seen enough.
    try Program(
      "/bin/bash",
      [
        "-c",
        "set -e -o pipefail; while read -t 0.01 line || (($? > 128)); do \(command); done; "
          + "echo all well",
      ], folder: folder)
  }

  private func finish(_ load: Program) {
    load.closeInput()
    #expect(load.exitCode() == 0, "\(load.output.suffix(3000))")
    #expect(load.output.contains("all well"))
  }

  private func wrk(_ address: String) -> String {
    "wrk -t 1 -c 8 -d 1 \(address) | tee wrk.out; grep -q Requests/sec wrk.out; "
      + "! grep -E 'Non-2xx|Socket errors' wrk.out"
  }

  /// Options of `wick attach`: CPU time alone, and allocations too.
  private static let kinds = [[], ["--alloc=all"]]

  @Test(
    .enabled(if: Place.has("/usr/bin/redis-server", "/usr/bin/redis-benchmark")), arguments: kinds)
  func redisServesAndKeepsItsData(options: [String]) throws {
    try Place.withFolder { folder in
      let port = "\(try Place.freePort())"
      let server = try Program(
        "/usr/bin/redis-server",
        ["--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", folder.path], folder: folder)
      try server.waitFor("Ready to accept connections")
      func redis(_ script: String) throws -> String {
        let run = try Program.run(
          "/usr/bin/redis-cli", ["-p", port, "EVAL", script, "0"], folder: folder)
        return run.output.trimmingCharacters(in: .newlines)
      }
      let value = "string.rep(tostring(i) .. '-', 40)"
      #expect(
        try redis("for i = 1, 5000 do redis.call('SET', 'kept:' .. i, \(value)) end return 'ok'")
          == "ok")
      let load = try load(
        "redis-benchmark -p \(port) -t set,get,lpush,lpop -n 20000 -c 20 -q 2>&1 | tee redis.out; "
          + "! grep -i error redis.out; [ -s redis.out ]", in: folder)
      usleep(200_000)
      // Clients come and go; jemalloc makes its own threads when it likes.
      let target = AttachedTarget(
        pid: server.pid, folder: folder, options: options,
        isOwn: { $0.contains("descriptor") && $0.contains("socket:") || $0.contains("jemalloc_bg") }
      )
      try target.cycle()
      finish(load)
      let check =
        "local n = 0 for i = 1, 5000 do if redis.call('GET', 'kept:' .. i) == \(value) then n = n + 1 "
        + "end end return n"
      #expect(try redis(check) == "5000")
      #expect(!server.hasEnded)
    }
  }

  @Test(.enabled(if: Place.has("/usr/sbin/nginx", "/usr/bin/wrk")))
  func nginxWorkerServes() throws {
    try Place.withFolder { folder in
      let port = try Place.freePort()
      let configuration = """
        daemon off; worker_processes 2; pid nginx.pid; error_log stderr notice;
        events { worker_connections 256; }
        http {
          access_log off; client_body_temp_path body; proxy_temp_path proxy;
          fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
          server { listen 127.0.0.1:\(port); root .; gzip on; gzip_types text/plain; }
        }

        """
      try Data(configuration.utf8).write(to: folder.appending(path: "nginx.conf"))
      let text = (0..<2000).map { "line \($0)\n" }.joined()
      try Data(text.utf8).write(to: folder.appending(path: "page.txt"))
      let server = try Program(
        "/usr/sbin/nginx", ["-p", folder.path, "-c", "nginx.conf"], folder: folder)
      try server.waitFor("start worker process")
      try #require(Wait.until(seconds: 10) { children(of: server.pid).count == 2 })
      let worker = try #require(children(of: server.pid).first)
      let load = try load(
        wrk("-H 'Accept-Encoding: gzip' http://127.0.0.1:\(port)/page.txt"), in: folder)
      usleep(300_000)
      let target = AttachedTarget(
        pid: worker, folder: folder,
        isOwn: { $0.contains("descriptor") && ($0.contains("socket:") || $0.contains("page.txt")) })
      try target.cycle()
      finish(load)
      #expect(children(of: server.pid).contains(worker))
    }
  }

  private func children(of pid: pid_t) -> [pid_t] {
    let path = "/proc/\(pid)/task/\(pid)/children"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: " ").compactMap { pid_t($0) }
  }

  private static let postgres = "/usr/lib/postgresql/15/bin"

  @Test(.enabled(if: Place.has("\(postgres)/postgres", "\(postgres)/pgbench", "/usr/bin/setpriv")))
  func postgresBackendLosesNoTransaction() throws {
    try Place.withFolder { folder in
      // It refuses to run as root.
      let nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
      let user = getuid() == 0 ? nobody : []
      func command(_ words: [String]) -> (String, [String]) {
        let all = user + words
        return (all[0], Array(all.dropFirst()))
      }
      let data = folder.appending(path: "data").path
      let port = "\(try Place.freePort())"
      let client = ["-h", folder.path, "-p", port]
      let make = command(
        ["\(Self.postgres)/initdb", "-D", data, "-A", "trust", "-U", "wick", "--no-sync"])
      let made = try Program.run(make.0, make.1, folder: folder)
      try #require(made.exitCode == 0, "\(made.output)")
      let serve = command(
        ["\(Self.postgres)/postgres", "-D", data, "-k", folder.path, "-h", "", "-p", port]
          + ["-c", "fsync=off"])
      let server = try Program(serve.0, serve.1, folder: folder)
      // Its processes are in sessions of their own; this one ends them all, at once.
      defer {
        kill(server.pid, SIGQUIT)
        _ = server.exitCode()
      }
      try server.waitFor("ready to accept connections")
      let bench = ["\(Self.postgres)/pgbench"] + client + ["-U", "wick"]
      let fill = command(bench + ["-i", "-q", "postgres"])
      let filled = try Program.run(fill.0, fill.1, folder: folder)
      try #require(filled.exitCode == 0, "\(filled.output)")
      var left = AttachedTarget.cycles
      while left > 0 {
        // As long as it surely takes, and a little more.
        let count = min(left, 10)
        let start = command(bench + ["-T", "\(2 + count / 2)", "-c", "2", "-j", "1", "postgres"])
        let load = try Program(start.0, start.1, folder: folder)
        // Its first connection is for a moment only.
        usleep(500_000)
        var backend: pid_t?
        Wait.until(seconds: 10) {
          backend = children(of: server.pid).first {
            ((try? String(contentsOfFile: "/proc/\($0)/cmdline", encoding: .utf8)) ?? "")
              .contains("wick postgres [local]")
          }
          return backend != nil
        }
        let pid = try #require(backend)
        usleep(300_000)
        let target = AttachedTarget(
          pid: pid, folder: folder,
          isOwn: { $0.contains("descriptor") && $0.contains(data) })
        try target.cycle(count)
        #expect(load.exitCode() == 0, "\(load.output)")
        #expect(load.output.contains("number of failed transactions: 0 "), "\(load.output)")
        left -= count
      }
      #expect(!server.hasEnded)
    }
  }

  @Test(.enabled(if: Place.has("/usr/bin/python3")), arguments: kinds)
  func pythonThreadsComputeTheSame(options: [String]) throws {
    try Place.withFolder { folder in
      let script = """
        import sys, threading, time
        over, wrong = threading.Event(), []
        def work(seed):
            expected = None
            while not over.is_set():
                table = {i: str(i * seed) for i in range(2000)}
                total = sum(int(text) for text in table.values())
                expected = expected or seed * 1999000
                if total != expected: wrong.append((seed, total))
                time.sleep(0.002)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
        for thread in threads: thread.start()
        print("ready", flush=True)
        sys.stdin.read()
        over.set()
        for thread in threads: thread.join()
        print("wrong:", wrong, flush=True)
        sys.exit(len(wrong) > 0)
        """
      let program = try Program("/usr/bin/python3", ["-c", script], folder: folder)
      try program.waitFor("ready\n")
      try AttachedTarget(pid: program.pid, folder: folder, options: options).cycle()
      program.closeInput()
      #expect(program.exitCode() == 0)
      #expect(program.output == "ready\nwrong: []\n", "\(program.output)")
    }
  }

  @Test(.enabled(if: Place.has("/usr/bin/wrk")), arguments: kinds)
  func blogServes(options: [String]) throws {
    try Place.withFolder { folder in
      let server = try Program("WickBlogServer", ["--port", "0"], folder: folder)
      try server.waitFor("http://127.0.0.1:")
      let address = try #require(server.address)
      let load = try load(wrk("\(address)/posts?limit=20"), in: folder)
      usleep(300_000)
      let target = AttachedTarget(
        pid: server.pid, folder: folder, options: options,
        isOwn: { $0.contains("descriptor") && $0.contains("socket:") })
      try target.cycle()
      finish(load)
      #expect(!server.hasEnded)
    }
  }
}
