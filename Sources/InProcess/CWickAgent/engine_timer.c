// Engine 3: a POSIX timer per thread on that thread's CPU clock, which signals that thread. Needs no
// permission and no descriptor. The kernel looks at the clock at each tick only (250 or 1,000 times
// a second), so a signal stands for overrun + 1 periods. timer_create(2).
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "pages.h"
#include "proc.h"

enum : uint32_t { TIMER_LIMIT = 1 << 16 };

typedef struct {
    pid_t tid;
    /// Kernel timer id; 0 is valid.
    int timer;
    bool seen;
} thread_timer;

static thread_timer *timers;
static uint32_t timer_count;
static uint32_t sequence;
static uint64_t unarmed_count;
static wick_engine_setup current;
/// Whether the threads that were there at the start are armed: what is found later is new.
static bool started;

/// The clock of a thread's CPU time: MAKE_THREAD_CPUCLOCK of the kernel's posix-timers.
static clockid_t cpu_clock(pid_t tid) {
    return (clockid_t)((~(unsigned)tid << 3) | 6);
}

/// Raw system calls: glibc's timer_create allocates.
static int create_timer(pid_t tid, uint64_t cookie, int *timer) {
    struct sigevent event;
    memset(&event, 0, sizeof(event));
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGPROF;
    event.sigev_value.sival_ptr = (void *)(uintptr_t)cookie;
    event._sigev_un._tid = tid;
    return syscall(SYS_timer_create, cpu_clock(tid), &event, timer) == 0 ? 0 : errno;
}

static int probe(void) {
    int timer;
    int error = create_timer((pid_t)syscall(SYS_gettid), 0, &timer);
    if (error == 0) {
        syscall(SYS_timer_delete, timer);
    }
    return error;
}

static struct timespec timespec_of(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
}

static bool arm(uint32_t tid, void *context) {
    int *error = context;
    if ((pid_t)tid == current.writer_tid) {
        return true;
    }
    for (uint32_t i = 0; i < timer_count; i++) {
        if (timers[i].tid == (pid_t)tid) {
            timers[i].seen = true;
            return true;
        }
    }
    if (timer_count >= TIMER_LIMIT) {
        unarmed_count++;
        return true;
    }
    int timer;
    uint64_t cookie = (uint64_t)current.generation << 32 | ++sequence;
    int failed = create_timer((pid_t)tid, cookie, &timer);
    if (failed) {
        // EINVAL: the thread is gone. EAGAIN: RLIMIT_SIGPENDING.
        if (failed != EINVAL && failed != ESRCH) {
            unarmed_count++;
            *error = failed;
        }
        return true;
    }
    // A random first period, so that threads shorter than a period are seen in proportion. For a
    // new thread the clock is taken from its birth: the signal's overrun makes up for the time
    // until it was found.
    uint64_t phase = 1 + (cookie * 0x9e3779b97f4a7c15u >> 16) % current.period_ns;
    struct itimerspec every = {.it_interval = timespec_of(current.period_ns),
                               .it_value = timespec_of(phase)};
    if (syscall(SYS_timer_settime, timer, started ? TIMER_ABSTIME : 0, &every, NULL) != 0) {
        syscall(SYS_timer_delete, timer);
        return true;
    }
    timers[timer_count++] = (thread_timer){.tid = (pid_t)tid, .timer = timer, .seen = true};
    return true;
}

static void rescan(void) {
    for (uint32_t i = 0; i < timer_count; i++) {
        timers[i].seen = false;
    }
    unarmed_count = 0;
    int error = 0;
    if (!wick_proc_each_number("/proc/self/task", arm, &error)) {
        return;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < timer_count; i++) {
        if (timers[i].seen) {
            timers[kept++] = timers[i];
        } else {
            syscall(SYS_timer_delete, timers[i].timer);
        }
    }
    timer_count = kept;
}

static void stop(void) {
    for (uint32_t i = 0; i < timer_count; i++) {
        syscall(SYS_timer_delete, timers[i].timer);
    }
    timer_count = 0;
}

static int start(const wick_engine_setup *setup) {
    if (!timers) {
        timers = wick_pages_map(TIMER_LIMIT * sizeof(thread_timer));
        if (!timers) {
            return ENOMEM;
        }
    }
    current = *setup;
    sequence = 0;
    unarmed_count = 0;
    started = false;
    int error = 0;
    bool listed = wick_proc_each_number("/proc/self/task", arm, &error);
    if (!listed || timer_count == 0) {
        error = error ? error : EIO;
        stop();
        return error;
    }
    started = true;
    return 0;
}

static void after_fork(void) {
    timer_count = 0;  // Timers are not inherited.
}

static uint64_t unarmed(void) {
    return unarmed_count;
}

const wick_engine_type wick_engine_timer = {
    .identity = WICK_ENGINE_THREAD_TIMER,
    .name = "thread CPU timers, SIGPROF",
    .signal_number = SIGPROF,
    .probe = probe,
    .start = start,
    .rescan = rescan,
    .stop = stop,
    .after_fork = after_fork,
    .unarmed = unarmed,
};
