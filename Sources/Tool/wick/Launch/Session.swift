import Glibc
import WickRecording

/// The recordings of one launch: the agent writes one file a process into a private folder, and they
/// become one recording.
struct Session {
  /// What the agent is told.
  struct Settings {
    var rate = 99
    var engine = "auto"
    var includesChildren = true
  }

  let folder: String

  /// Makes the folder beside the first output.
  init(beside output: String) throws {
    folder = try Folder.makePrivate(beside: output)
  }

  /// The environment that loads the agent into a command.
  func environment(library: String, settings: Settings) -> [String] {
    var environment: [String] = []
    var preloaded = ""
    var next = unsafe environ
    while let text = unsafe next.pointee {
      let line = unsafe String(cString: text)
      if line.hasPrefix("LD_PRELOAD=") {
        preloaded = String(line.dropFirst("LD_PRELOAD=".count))
      } else if !line.hasPrefix("WICK=") {
        environment.append(line)
      }
      unsafe next += 1
    }
    var path = ""
    for character in Folder.absolute(folder) {
      switch character {
      case "%": path += "%25"
      case ",": path += "%2C"
      default: path.append(character)
      }
    }
    let preload = preloaded.isEmpty ? library : "\(library):\(preloaded)"
    let children = settings.includesChildren ? "" : ",children=off"
    return environment + [
      "LD_PRELOAD=\(preload)",
      "WICK=out=\(path)/%p.wick,hz=\(settings.rate),engine=\(settings.engine)\(children)",
    ]
  }

  /// The files that were written, that of `mainPID` first, then by process id.
  func recordings(mainPID: pid_t) -> [String] {
    let names = Folder.names(in: folder).filter { $0.hasSuffix(".wick") }
    let sorted = names.sorted { first, second in
      let (first, second) = (Self.pid(of: first), Self.pid(of: second))
      if first == mainPID || second == mainPID { return first == mainPID && second != mainPID }
      return first < second
    }
    return sorted.map { "\(folder)/\($0)" }
  }

  private static func pid(of name: String) -> pid_t {
    pid_t(name.prefix { $0 != "." }) ?? 0
  }

  /// Writes the recordings one after the other: a recording is a run of segments.
  static func join(_ recordings: [String], to sink: inout ByteSink) throws {
    for recording in recordings {
      do {
        let file = try MappedFile(path: recording)
        sink.write(file.bytes)
      } catch {
        throw Failure.failed("cannot read \(recording): \(Failure.reason(error.errno))")
      }
    }
  }

  /// Removes the folder and what is in it.
  func remove() {
    Folder.remove(folder)
  }
}
