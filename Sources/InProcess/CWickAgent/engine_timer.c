// Engine 3: a POSIX timer per thread on that thread's CPU clock, which signals that thread. Needs no
// permission and no descriptor. The kernel looks at the clock at each tick only (250 or 1,000 times
// a second), so a signal stands for overrun + 1 periods. timer_create(2).
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "armed_threads.h"
#include "engine.h"

static uint64_t period_ns;

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

static void disarm(int timer) {
    syscall(SYS_timer_delete, timer);
}

static int probe(void) {
    int timer;
    int error = create_timer((pid_t)syscall(SYS_gettid), 0, &timer);
    if (error == 0) {
        disarm(timer);
    }
    return error;
}

static struct timespec timespec_of(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
}

static int arm(pid_t tid, uint64_t cookie, bool is_new, int *timer) {
    int error = create_timer(tid, cookie, timer);
    if (error) {
        // EINVAL: the thread is gone. EAGAIN: RLIMIT_SIGPENDING.
        return error == EINVAL ? ESRCH : error;
    }
    // A random first period, so that threads shorter than a period are seen in proportion. For a
    // new thread the clock is taken from its birth: the signal's overrun makes up for the time
    // until it was found.
    uint64_t phase = 1 + (cookie * 0x9e3779b97f4a7c15u >> 16) % period_ns;
    struct itimerspec every = {.it_interval = timespec_of(period_ns),
                               .it_value = timespec_of(phase)};
    if (syscall(SYS_timer_settime, *timer, is_new ? TIMER_ABSTIME : 0, &every, NULL) != 0) {
        error = errno == EINVAL ? ESRCH : errno;
        disarm(*timer);
    }
    return error;
}

static const wick_thread_trigger trigger = {.arm = arm, .disarm = disarm};

static int start(const wick_engine_setup *setup) {
    period_ns = setup->period_ns;
    return wick_armed_start(setup, &trigger);
}

static int rescan(void) {
    wick_armed_rescan();
    // A thread without a timer is no reason to take them from the others: it is counted.
    return 0;
}

const wick_engine_type wick_engine_timer = {
    .identity = WICK_ENGINE_THREAD_TIMER,
    .name = "thread CPU timers, SIGPROF",
    .signal_number = SIGPROF,
    .probe = probe,
    .start = start,
    .thread_began = wick_armed_thread_began,
    .rescan = rescan,
    .stop = wick_armed_stop,
    .after_fork = wick_armed_forget,
    .unarmed = wick_armed_missing,
};
