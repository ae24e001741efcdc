// See arc_trial.h.
//
// The child is made by clone without a signal for its end, so that the host's SIGCHLD handler is
// not called, and its wait calls do not see the child (wait(2), __WCLONE). No handler of
// pthread_atfork runs in it, and none of a signal: all are blocked, and a fault then kills at once,
// without the host's crash reporter. It calls nothing but the runtime's functions for references,
// and the kernel: any lock may be held by a thread that it does not have.
#include "arc_trial.h"

#if defined(__x86_64__)

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "raw_syscall.h"

enum : long { LOOK_NS = 1'000'000, LIMIT_NS = 2'000'000'000, KERNEL_SIGSET_BYTES = 8 };
/// The child's exit code; not 0, which it might have in another way.
enum : int { PASSED = 42 };

// MARK: in the child

/// An object as swift_allocObject leaves it: nothing here looks at its type.
typedef struct {
    uintptr_t metadata;
    volatile uint64_t references;
} object;

/// RefCount.h: one unowned reference, and what each strong one adds.
enum : uint64_t { NEW_REFERENCES = 3, ONE_STRONG = UINT64_C(1) << 33 };
/// Bits of a positive word that are no address, which retains must pass over.
enum : uintptr_t { SPARE_BITS = UINT64_C(0x4000000000000000) };
/// The high byte of the object word of a small ASCII string, with its length (StringObject.swift).
enum : uintptr_t { SMALL_STRING = UINT64_C(0xe0) << 56, LENGTH_SHIFT = 56 };

static struct {
    const object *expected;
    uint64_t retain_count, release_count, wrong_count;
    uintptr_t code, stack;
} seen;

enum : uintptr_t { CODE_LIMIT = 8192, STACK_LIMIT = 4096 };

static void note(bool is_retain, uint32_t count, const void *one, const wick_registers *registers) {
    *(is_retain ? &seen.retain_count : &seen.release_count) += count;
    bool is_right = one == seen.expected && registers->pc - seen.code < CODE_LIMIT &&
                    seen.stack - registers->sp < STACK_LIMIT;
    seen.wrong_count += !is_right;
}

typedef void *retain_function(uintptr_t word);
typedef void release_function(uintptr_t word);
typedef void *retain_n_function(uintptr_t word, uint32_t count);
typedef void release_n_function(uintptr_t word, uint32_t count);

typedef struct {
    retain_function *retain, *try_retain;
    release_function *release;
    retain_n_function *retain_n;
    release_n_function *release_n;
} functions;

static bool is_untouched(const functions *call, uintptr_t word) {
    bool is_same = (uintptr_t)call->retain(word) == word;
    call->release(word);
    is_same = (uintptr_t)call->retain_n(word, 5) == word && is_same;
    call->release_n(word, 5);
    // No object: nothing that could be taken.
    return call->try_retain(word) == NULL && is_same;
}

[[gnu::noinline]] static bool use(const functions *call) {
    object one = {.references = NEW_REFERENCES};
    uintptr_t word = (uintptr_t)&one;
    seen.expected = &one;
    seen.code = (uintptr_t)use;
    seen.stack = (uintptr_t)__builtin_frame_address(0);
    bool is_right = (uintptr_t)call->retain(word) == word;
    is_right = is_right && one.references == NEW_REFERENCES + ONE_STRONG;
    is_right = (uintptr_t)call->retain(word | SPARE_BITS) == (word | SPARE_BITS) && is_right;
    is_right = (uintptr_t)call->retain_n(word, 3) == word && is_right;
    is_right = (uintptr_t)call->try_retain(word) == word && is_right;
    is_right = is_right && one.references == NEW_REFERENCES + 6 * ONE_STRONG;
    call->release_n(word, 3);
    call->release(word);
    call->release(word);
    call->release(word);
    return is_right && one.references == NEW_REFERENCES && seen.retain_count == 6 &&
           seen.release_count == 6 && seen.wrong_count == 0;
}

static bool passes(const functions *call) {
    bool is_right = use(call) && is_untouched(call, 0);
    // Bytes 8 to 14 of a small string share a word with its length; the first 8 are elsewhere.
    for (uintptr_t length = 8; length <= 15; length++) {
        uintptr_t text = UINT64_C(0x00303030'30303030) >> (8 * (15 - length));
        is_right = is_untouched(call, SMALL_STRING | length << LENGTH_SHIFT | text) && is_right;
    }
    return is_right && seen.retain_count == 6 && seen.release_count == 6 && seen.wrong_count == 0;
}

[[noreturn]] static void exit_child(int status) {
    for (;;) {
        wick_raw_syscall6(SYS_exit_group, status, 0, 0, 0, 0, 0);
    }
}

[[noreturn]] static void run_child(const wick_arc_runtime *runtime,
                                   void (*install)(const wick_arc_runtime *),
                                   void (*observe_with)(wick_arc_observer *)) {
    // A child that hangs goes with this process; one that crashes leaves no core file.
    wick_raw_syscall6(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
    wick_raw_syscall6(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0, 0);
    functions call = {
        .retain = (retain_function *)runtime->entries[WICK_ARC_RETAIN],
        .try_retain = (retain_function *)runtime->entries[WICK_ARC_TRY_RETAIN],
        .release = (release_function *)runtime->entries[WICK_ARC_RELEASE],
        .retain_n = (retain_n_function *)runtime->entries[WICK_ARC_RETAIN_N],
        .release_n = (release_n_function *)runtime->entries[WICK_ARC_RELEASE_N],
    };
    install(runtime);
    observe_with(note);
    exit_child(passes(&call) ? PASSED : 1);
}

// MARK: in the host

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1'000'000'000) + now.tv_nsec;
}

/// The child's wait status; -1 if it is not to be had.
static int wait_for(long child) {
    int status = -1;
    int64_t end = now_ns() + LIMIT_NS;
    for (;;) {
        long got = wick_raw_syscall6(SYS_wait4, child, (long)&status, WNOHANG | __WCLONE, 0, 0, 0);
        if (got == child) {
            return status;
        }
        if (got != 0 && got != -EINTR) {
            return -1;  // Somebody else has waited for it: its number may be another's by now.
        }
        if (now_ns() >= end) {
            break;
        }
        struct timespec look = {.tv_nsec = LOOK_NS};
        wick_raw_syscall6(SYS_nanosleep, (long)&look, 0, 0, 0, 0, 0);
    }
    wick_raw_syscall6(SYS_kill, child, SIGKILL, 0, 0, 0, 0);
    while (wick_raw_syscall6(SYS_wait4, child, (long)&status, __WCLONE, 0, 0, 0) == -EINTR) {
    }
    return -1;
}

bool wick_arc_try(const wick_arc_runtime *runtime, void (*install)(const wick_arc_runtime *),
                  void (*observe_with)(wick_arc_observer *)) {
    // The kernel's set has libc's own signals too, which pthread_sigmask leaves out.
    uint64_t all = UINT64_MAX, mask = 0;
    wick_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&mask,
                      KERNEL_SIGSET_BYTES, 0, 0);
    // The flags' low byte is the signal at the end: none. No tracer of the host's follows. A filter
    // of system calls that lets the agent have threads lets it have this.
    long child = wick_raw_syscall6(SYS_clone, CLONE_UNTRACED, 0, 0, 0, 0, 0);
    if (child == 0) {
        run_child(runtime, install, observe_with);
    }
    wick_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, KERNEL_SIGSET_BYTES, 0, 0);
    if (child < 0) {
        return false;
    }
    int status = wait_for(child);
    return status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == PASSED;
}

#endif
