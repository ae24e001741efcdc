import CWickSampleSQLite

/// One connection to the blog's database, for the use of one thread.
final class Database {
  private let connection: OpaquePointer
  private var prepared: [String: OpaquePointer] = [:]

  init(_ location: DatabaseLocation) throws(DatabaseError) {
    var connection: OpaquePointer?
    // No mutex in SQLite: a connection never leaves its thread.
    let flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI
    let code = sqlite3_open_v2(location.uri, &connection, flags, nil)
    guard code == SQLITE_OK, let connection else {
      let message = connection.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close(connection)
      throw DatabaseError(code: code, message: "\(location.uri): \(message)")
    }
    self.connection = connection
    sqlite3_busy_timeout(connection, 10_000)
    sqlite3_extended_result_codes(connection, 1)
    try run("PRAGMA foreign_keys = ON")
    try run("PRAGMA synchronous = NORMAL")
    try run("PRAGMA cache_size = -16000")
    try run("PRAGMA mmap_size = 268435456")
    if location.usesWriteAheadLog {
      try run("PRAGMA journal_mode = WAL")
    }
  }

  /// Ends the connection; the last one folds the write-ahead log into the file.
  func close() {
    prepared.values.forEach { _ = sqlite3_finalize($0) }
    prepared = [:]
    let code = sqlite3_close(connection)
    precondition(code == SQLITE_OK, "a statement outlives its connection")
  }

  /// Runs a query and makes a value of each row.
  ///
  /// - Parameters:
  ///   - sql: One statement; it is prepared once per connection.
  ///   - values: What its question marks stand for.
  ///   - make: Makes the value.
  /// - Returns: The values in the order of the rows.
  /// - Throws: ``DatabaseError``.
  func rows<Value>(
    _ sql: String, _ values: any DatabaseValue..., make: (Row) -> Value
  ) throws(DatabaseError) -> [Value] {
    let statement = try prepare(sql)
    defer { sqlite3_reset(statement) }
    try bind(values, to: statement)
    var result: [Value] = []
    while try step(statement) {
      result.append(make(Row(statement: statement)))
    }
    return result
  }

  /// Runs a query and makes a value of its first row.
  ///
  /// - Parameters:
  ///   - sql: One statement; it is prepared once per connection.
  ///   - values: What its question marks stand for.
  ///   - make: Makes the value.
  /// - Returns: The value, or nothing if there is no row.
  /// - Throws: ``DatabaseError``.
  func first<Value>(
    _ sql: String, _ values: any DatabaseValue..., make: (Row) -> Value
  ) throws(DatabaseError) -> Value? {
    let statement = try prepare(sql)
    defer { sqlite3_reset(statement) }
    try bind(values, to: statement)
    return try step(statement) ? make(Row(statement: statement)) : nil
  }

  /// Runs a statement that gives no rows and returns how many it changed.
  @discardableResult
  func run(_ sql: String, _ values: any DatabaseValue...) throws(DatabaseError) -> Int {
    let statement = try prepare(sql)
    defer { sqlite3_reset(statement) }
    try bind(values, to: statement)
    while try step(statement) {}
    return Int(sqlite3_changes(connection))
  }

  /// Runs all or nothing of what writes.
  func transaction<Value>(_ body: () throws -> Value) throws -> Value {
    try run("BEGIN IMMEDIATE")
    do {
      let value = try body()
      try run("COMMIT")
      return value
    } catch {
      _ = try? run("ROLLBACK")
      throw error
    }
  }

  /// The row that was inserted last.
  var lastInsertedID: Int { Int(sqlite3_last_insert_rowid(connection)) }

  private func prepare(_ sql: String) throws(DatabaseError) -> OpaquePointer {
    if let statement = prepared[sql] {
      return statement
    }
    var statement: OpaquePointer?
    let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
    guard sqlite3_prepare_v3(connection, sql, -1, flags, &statement, nil) == SQLITE_OK,
      let statement
    else { throw lastError }
    prepared[sql] = statement
    return statement
  }

  private func bind(
    _ values: [any DatabaseValue], to statement: OpaquePointer
  ) throws(DatabaseError) {
    for (index, value) in values.enumerated() {
      guard value.bind(to: statement, at: Int32(index + 1)) == SQLITE_OK else { throw lastError }
    }
  }

  private func step(_ statement: OpaquePointer) throws(DatabaseError) -> Bool {
    switch sqlite3_step(statement) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw lastError
    }
  }

  private var lastError: DatabaseError {
    DatabaseError(
      code: sqlite3_extended_errcode(connection),
      message: String(cString: sqlite3_errmsg(connection)))
  }
}

/// What SQLite refused.
struct DatabaseError: Error, CustomStringConvertible {
  /// SQLite's extended result code.
  let code: Int32
  let message: String

  var breaksConstraint: Bool { code & 0xff == SQLITE_CONSTRAINT }

  var description: String { "SQLite: \(message) (\(code))" }
}
