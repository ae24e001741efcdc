import Foundation

/// How to connect to the database, from any thread.
enum DatabaseLocation: Sendable {
  case file(String)
  /// One database in memory for all connections of this process.
  case memory

  var uri: String {
    switch self {
    // Not as `file:` URI, so that every character of the path stands for itself.
    case .file(let path): path.hasPrefix("/") ? path : "./" + path
    case .memory: "file:/blog?vfs=memdb"
    }
  }

  var usesWriteAheadLog: Bool {
    switch self {
    case .file: true
    case .memory: false
    }
  }
}

/// Where the database lives, and whether it goes with the server.
struct DatabasePlace {
  let location: DatabaseLocation
  private let temporaryFolder: URL?

  /// Makes a temporary folder if no file is named.
  init(_ database: String?) throws {
    switch database {
    case ":memory:":
      (location, temporaryFolder) = (.memory, nil)
    case .some(let path):
      (location, temporaryFolder) = (.file(path), nil)
    case nil:
      let folder = FileManager.default.temporaryDirectory.appending(
        path: "blog-\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString)")
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
      (location, temporaryFolder) = (.file(folder.appending(path: "blog.sqlite").path), folder)
    }
  }

  /// Removes the database if it was a temporary one.
  func remove() {
    if let temporaryFolder {
      try? FileManager.default.removeItem(at: temporaryFolder)
    }
  }
}
