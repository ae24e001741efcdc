internal import Glibc

/// Runs two pieces of work at once, the second on a thread of its own, and returns when both are
/// done.
///
/// Neither may write what the other reads or writes: nobody checks that.
///
/// - Parameters:
///   - here: Runs on this thread.
///   - there: Runs on another; after `here` on this one if there is none to be had.
func concurrently(_ here: () -> Void, and there: () -> Void) {
  withoutActuallyEscaping(there) { there in
    let work = unsafe Unmanaged.passRetained(Work(there))
    var thread = pthread_t()
    let error = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().body()
        return nil
      }, work.toOpaque())
    here()
    if error == 0 { _ = pthread_join(thread, nil) } else { there() }
    unsafe work.release()
  }
}

/// What a thread is started with.
private final class Work {
  let body: () -> Void

  init(_ body: @escaping () -> Void) { self.body = body }
}
