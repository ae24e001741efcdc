// Engine 3: a POSIX timer per thread on that thread's CPU clock, which signals that thread. Needs no
// permission and no descriptor. The kernel looks at the clock at each tick only (250 or 1,000 times
// a second), so a signal stands for overrun + 1 periods. timer_create(2).
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "pages.h"
#include "proc.h"

enum : uint32_t { TIMER_LIMIT = 1 << 16, PROBE_LIMIT = 64 };

/// The timers by thread: open addressing, filled by the writer's scans and by new threads
/// themselves. An entry is tid << 32 | kernel timer id + 1; TOMB marks a place that was used. Two
/// timers of one thread are possible for a moment (both found it new); the handler counts one.
static _Atomic uint64_t *timers;
enum : uint64_t { EMPTY = 0, TOMB = 1 };

/// Scan in which a place's thread was last seen; the writer's own.
static uint32_t *seen;
static uint32_t scan;

static _Atomic uint32_t sequence;
static _Atomic uint64_t unarmed_count;
static wick_engine_setup current;
/// Whether the threads that were there at the start are armed: what is found later is new.
static _Atomic bool started;

static uint32_t place_of(pid_t tid, uint32_t probe) {
    return ((uint32_t)tid * 0x9e3779b1u + probe) & (TIMER_LIMIT - 1);
}

/// The place of a thread's timer; TIMER_LIMIT if it has none.
static uint32_t find(pid_t tid) {
    for (uint32_t probe = 0; probe < PROBE_LIMIT; probe++) {
        uint32_t place = place_of(tid, probe);
        uint64_t entry = atomic_load_explicit(&timers[place], memory_order_acquire);
        if (entry == EMPTY) {
            break;
        }
        if (entry != TOMB && (pid_t)(entry >> 32) == tid) {
            return place;
        }
    }
    return TIMER_LIMIT;
}

static bool insert(pid_t tid, int timer) {
    uint64_t entry = (uint64_t)tid << 32 | ((uint32_t)timer + 1);
    for (uint32_t probe = 0; probe < PROBE_LIMIT; probe++) {
        uint32_t place = place_of(tid, probe);
        uint64_t old = atomic_load_explicit(&timers[place], memory_order_relaxed);
        // Release: pairs with the acquire in find and in remove_at.
        if (old <= TOMB && atomic_compare_exchange_strong_explicit(&timers[place], &old, entry,
                                                                   memory_order_acq_rel,
                                                                   memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

static void remove_at(uint32_t place) {
    uint64_t entry = atomic_exchange_explicit(&timers[place], TOMB, memory_order_acq_rel);
    if (entry > TOMB) {
        syscall(SYS_timer_delete, (int)((uint32_t)entry - 1));
    }
}

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

/// Arms a thread that has no timer. 0 or an errno; that of a thread that is gone is 0.
static int arm(pid_t tid) {
    int timer;
    uint64_t number = atomic_fetch_add_explicit(&sequence, 1, memory_order_relaxed) + 1;
    uint64_t cookie = (uint64_t)current.generation << 32 | (uint32_t)number;
    int error = create_timer(tid, cookie, &timer);
    if (error) {
        // EINVAL: the thread is gone. EAGAIN: RLIMIT_SIGPENDING.
        return error == EINVAL || error == ESRCH ? 0 : error;
    }
    // A random first period, so that threads shorter than a period are seen in proportion. For a
    // new thread the clock is taken from its birth: the signal's overrun makes up for the time
    // until it was found.
    bool is_new = atomic_load_explicit(&started, memory_order_acquire);
    uint64_t phase = 1 + (cookie * 0x9e3779b97f4a7c15u >> 16) % current.period_ns;
    struct itimerspec every = {.it_interval = timespec_of(current.period_ns),
                               .it_value = timespec_of(phase)};
    if (!insert(tid, timer)) {
        syscall(SYS_timer_delete, timer);
        return ENOSPC;
    }
    if (syscall(SYS_timer_settime, timer, is_new ? TIMER_ABSTIME : 0, &every, NULL) != 0 &&
        errno != EINVAL && errno != ESRCH) {
        return errno;
    }
    return 0;
}

static bool visit(uint32_t tid, void *context) {
    int *error = context;
    if ((pid_t)tid == current.writer_tid) {
        return true;
    }
    if (find((pid_t)tid) == TIMER_LIMIT) {
        int failed = arm((pid_t)tid);
        if (failed) {
            atomic_fetch_add_explicit(&unarmed_count, 1, memory_order_relaxed);
            *error = failed;
        }
    }
    uint32_t place = find((pid_t)tid);
    if (place != TIMER_LIMIT) {
        seen[place] = scan;
    }
    return true;
}

/// Arms what is new, and deletes the timers of threads that are gone.
static int scan_threads(void) {
    atomic_store_explicit(&unarmed_count, 0, memory_order_relaxed);
    scan++;
    int error = 0;
    if (!wick_proc_each_number("/proc/self/task", visit, &error)) {
        return errno;
    }
    for (uint32_t place = 0; place < TIMER_LIMIT; place++) {
        uint64_t entry = atomic_load_explicit(&timers[place], memory_order_acquire);
        // A thread that armed itself after it was passed over is seen by the next scan.
        if (entry > TOMB && seen[place] + 1 < scan) {
            remove_at(place);
        }
    }
    return error;
}

static void rescan(void) {
    scan_threads();
}

/// Called by a new thread: armed from its first instruction, without waiting for a scan.
static void thread_began(void) {
    pid_t tid = (pid_t)syscall(SYS_gettid);
    if (!atomic_load_explicit(&started, memory_order_acquire) || find(tid) != TIMER_LIMIT) {
        return;
    }
    arm(tid);
    uint32_t place = find(tid);
    if (place != TIMER_LIMIT && !atomic_load_explicit(&started, memory_order_acquire)) {
        remove_at(place);  // Stopped meanwhile.
    }
}

static void stop(void) {
    atomic_store_explicit(&started, false, memory_order_release);
    for (uint32_t place = 0; place < TIMER_LIMIT; place++) {
        if (atomic_load_explicit(&timers[place], memory_order_acquire) > TOMB) {
            remove_at(place);
        }
        atomic_store_explicit(&timers[place], EMPTY, memory_order_relaxed);
    }
}

static int start(const wick_engine_setup *setup) {
    if (!timers) {
        seen = wick_pages_map(TIMER_LIMIT * sizeof(*seen));
        timers = wick_pages_map(TIMER_LIMIT * sizeof(*timers));
        if (!timers || !seen) {
            return ENOMEM;
        }
    }
    current = *setup;
    int error = scan_threads();
    if (error) {
        stop();
        return error;
    }
    atomic_store_explicit(&started, true, memory_order_release);
    return 0;
}

static void after_fork(void) {
    // Timers are not inherited: their numbers are forgotten, not deleted.
    atomic_store_explicit(&started, false, memory_order_release);
    if (timers) {
        memset((void *)timers, 0, TIMER_LIMIT * sizeof(*timers));
    }
}

static uint64_t unarmed(void) {
    return atomic_load_explicit(&unarmed_count, memory_order_relaxed);
}

const wick_engine_type wick_engine_timer = {
    .identity = WICK_ENGINE_THREAD_TIMER,
    .name = "thread CPU timers, SIGPROF",
    .signal_number = SIGPROF,
    .probe = probe,
    .start = start,
    .thread_began = thread_began,
    .rescan = rescan,
    .stop = stop,
    .after_fork = after_fork,
    .unarmed = unarmed,
};
