import Foundation
import Glibc
import Synchronization
import WickAgent

// `WickAgent` is linked for its automatic start: with `WICK` in the environment the server
// profiles itself, without it nothing happens.

/// A blog with users, posts, comments and tags as JSON over HTTP: a server worth profiling.
@main
enum BlogServer {
  static func main() {
    do {
      let options = try Options(
        arguments: CommandLine.arguments.dropFirst(),
        environment: ProcessInfo.processInfo.environment
      )
      guard !options.showsHelp else {
        print(Options.usage)
        return
      }
      let succeeded = try run(options)
      exit(succeeded ? 0 : 1)
    } catch let error as OptionsError {
      log("\(error)\n\(Options.usage)")
      exit(2)
    } catch {
      log("\(error)")
      exit(1)
    }
  }

  /// Serves until SIGINT or SIGTERM.
  ///
  /// - Returns: Whether no worker failed.
  private static func run(_ options: Options) throws -> Bool {
    signal(SIGPIPE, SIG_IGN)
    let stopSignals = blockStopSignals()
    let place = try DatabasePlace(options.database)
    defer { place.remove() }
    let database = try Database(place.location)
    defer { database.close() }
    try Schema.prepare(database)

    let sockets = try ListeningSocket.group(count: options.workers, port: options.port)
    let stop = try StopSignal()
    let failed = FailureFlag()
    let threads = try sockets.enumerated().map { index, socket in
      try WorkerThread(name: "blog-worker-\(index)") {
        do {
          let worker = try Worker(
            socket: socket, location: place.location, stopDescriptor: stop.descriptor)
          worker.run()
        } catch {
          log("worker \(index): \(error)")
          failed.value.store(true, ordering: .relaxed)
          kill(getpid(), SIGTERM)
        }
      }
    }
    log(
      "listening on http://127.0.0.1:\(sockets[0].port), pid \(getpid()), \(threads.count) workers")
    wait(for: stopSignals)
    stop.send()
    threads.forEach { $0.join() }
    return !failed.value.load(ordering: .relaxed)
  }

  /// Blocks the signals that end the server, in this thread and all that it starts.
  private static func blockStopSignals() -> sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    return signals
  }

  private static func wait(for signals: sigset_t) {
    var signals = signals
    var received: Int32 = 0
    while sigwait(&signals, &received) != 0 {}
  }
}

/// Whether a worker could not do its work; set by the workers, read once they are joined.
private final class FailureFlag: Sendable {
  let value = Atomic(false)
}

/// Writes one line to standard error.
func log(_ message: String) {
  FileHandle.standardError.write(Data("WickBlogServer: \(message)\n".utf8))
}
