import Foundation

/// `calendar?after=&limit=`: titles with the day they were written, in words.
///
/// The fault: a date formatter is made for each post, which costs far more than its use.
enum FormatterPerPost {
  private struct Entry: Encodable, Identifiable {
    let id: Int
    let title: String
    let day: String
  }

  static func slow(_ blog: Blog, _ request: Request) throws -> Response {
    try answer(blog, request, day: makeFormatterAndFormat)
  }

  @inline(never)
  private static func makeFormatterAndFormat(_ seconds: Int) -> String {
    DayFormatter.make().string(from: Date(timeIntervalSince1970: Double(seconds)))
  }

  static func fast(_ blog: Blog, _ request: Request) throws -> Response {
    try answer(blog, request) { seconds in
      blog.dayFormatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
    }
  }

  private static func answer(
    _ blog: Blog, _ request: Request, day: (Int) -> String
  ) throws -> Response {
    let page = try PageRequest(request)
    let sql = "SELECT id, title, created FROM posts WHERE id > ? ORDER BY id LIMIT ?"
    let entries = try blog.database.rows(sql, page.after, page.limit) { row in
      Entry(id: row.integer(0), title: row.text(1), day: day(row.integer(2)))
    }
    return try blog.json(Page(entries, page))
  }
}

/// Writes days as in `Monday, 1 January 2024`.
enum DayFormatter {
  static func make() -> DateFormatter {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.dateFormat = "EEEE, d MMMM yyyy"
    return formatter
  }
}
