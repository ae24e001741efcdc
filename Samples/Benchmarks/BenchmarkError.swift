/// A benchmark that could not be run.
enum BenchmarkError: Error {
  case unexpected(String)
}
