/// A request served badly under `/slow/…` and well under `/fast/…`, with the same answer.
///
/// What is wrong happens in functions that are never inlined and named for it, so that a flame
/// graph shows them.
struct Twin: Sendable {
  let slow: @Sendable (Blog, Request) throws -> Response
  let fast: @Sendable (Blog, Request) throws -> Response

  /// By the last part of the path.
  static let all: [Substring: Twin] = [
    "feed": Twin(slow: QueryPerPost.slow, fast: QueryPerPost.fast),
    "comment-count": Twin(slow: CountInMemory.slow, fast: CountInMemory.fast),
    "posts": Twin(slow: NoPagination.slow, fast: NoPagination.fast),
    "export": Twin(slow: QuadraticText.slow, fast: QuadraticText.fast),
    "comments": Twin(slow: Reencoding.slow, fast: Reencoding.fast),
    "calendar": Twin(slow: FormatterPerPost.slow, fast: FormatterPerPost.fast),
    "commented": Twin(slow: MissingIndex.slow, fast: MissingIndex.fast),
  ]
}
