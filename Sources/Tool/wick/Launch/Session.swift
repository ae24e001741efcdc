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
    var allocations = AllocationOptions()
  }

  let folder: String

  /// Makes the folder beside the first output.
  init(beside output: String) throws {
    folder = try Folder.makePrivate(beside: output)
  }

  /// The variables that load the agent into a command.
  func variables(library: String, settings: Settings) -> [String: String] {
    let preloaded = unsafe getenv("LD_PRELOAD").map { unsafe String(cString: $0) } ?? ""
    var path = ""
    for character in Folder.absolute(folder) {
      switch character {
      case "%": path += "%25"
      case ",": path += "%2C"
      default: path.append(character)
      }
    }
    let preload = preloaded.isEmpty ? library : "\(library):\(preloaded)"
    let options =
      settings.allocations.variablePart + (settings.includesChildren ? "" : ",children=off")
    return [
      "LD_PRELOAD": preload,
      "WICK": "out=\(path)/%p.wick,hz=\(settings.rate),engine=\(settings.engine)\(options)",
    ]
  }

  /// The files that were written to, that of `mainPID` first, then by process id.
  func recordings(mainPID: pid_t) -> [String] {
    let names = Folder.names(in: folder).filter { !isEmpty($0) }
    let sorted = names.sorted { first, second in
      let (first, second) = (Self.pid(of: first), Self.pid(of: second))
      if first == mainPID || second == mainPID { return first == mainPID && second != mainPID }
      return first < second
    }
    return sorted.map { "\(folder)/\($0)" }
  }

  /// Whether an agent came up and could write nothing: it has said why.
  var hasFailedAgents: Bool { Folder.names(in: folder).contains { isEmpty($0) } }

  private func isEmpty(_ name: String) -> Bool {
    var status = stat()
    return unsafe stat("\(folder)/\(name)", &status) == 0 && status.st_size == 0
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
        // A process that is gone and wrote no end was killed; one that still runs may write on.
        let name = recording.split(separator: "/").last.map(String.init) ?? ""
        if kill(pid(of: name), 0) != 0, let end = EndMark.ofKilled(file.bytes) {
          unsafe sink.write(end.span.bytes)
        }
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
