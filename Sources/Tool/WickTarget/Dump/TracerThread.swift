internal import CWickKernel
internal import Glibc

/// A thread of this program that holds those of another.
///
/// To the kernel the tracer is a thread, and what it still traces when it ends goes on as if nothing
/// had been: a thread that did not stop in time must not do so later, with nobody to let it go.
enum TracerThread {
  private final class Work {
    let body: () -> Void

    init(_ body: @escaping () -> Void) { self.body = body }
  }

  /// Does something on a thread of its own, and waits for its end.
  ///
  /// Meanwhile signals wait, lest one ends this program between a thread's stop and its going on.
  static func run(_ body: () -> Void) {
    var all = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    withoutActuallyEscaping(body) { body in
      let work = unsafe Unmanaged.passRetained(Work(body))
      var thread = pthread_t()
      let code = unsafe pthread_create(
        &thread, nil,
        { argument in
          // So that a thread that stopped need not wait until this one gets a processor; SCHED_RR
          // takes rights, but all goes without it.
          var parameter = sched_param(sched_priority: 1)
          unsafe pthread_setschedparam(pthread_self(), SCHED_RR, &parameter)
          if let argument = unsafe argument {
            unsafe Unmanaged<Work>.fromOpaque(argument).takeUnretainedValue().body()
          }
          return nil
        }, work.toOpaque())
      if code == 0 { pthread_join(thread, nil) } else { body() }
      unsafe work.release()
    }
  }
}
