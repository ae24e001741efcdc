// Engine 4: the one ITIMER_PROF of the process, where no thread can have a timer of its own
// (RLIMIT_SIGPENDING, a seccomp filter). The kernel signals some thread that runs at a tick and does
// not say how many periods went by, so a sample weighs the CPU time that the process has used since
// the last one. setitimer(2).
#include <errno.h>
#include <signal.h>
#include <sys/time.h>

#include "engine.h"
#include "handler.h"

static struct itimerval current;

static bool is_set(const struct itimerval *timer) {
    return timer->it_value.tv_sec || timer->it_value.tv_usec || timer->it_interval.tv_sec ||
           timer->it_interval.tv_usec;
}

static int probe(void) {
    struct itimerval host;
    if (getitimer(ITIMER_PROF, &host) != 0) {
        return errno;
    }
    // There is only one: the host's own is left alone.
    return is_set(&host) ? EBUSY : 0;
}

static int start(const wick_engine_setup *setup) {
    // Whole microseconds; the kernel looks at each tick only.
    long interval_us = (long)((setup->period_ns + 999) / 1000);
    struct timeval interval = {.tv_sec = interval_us / 1000000, .tv_usec = interval_us % 1000000};
    current = (struct itimerval){.it_interval = interval, .it_value = interval};
    wick_handler_weigh_by_process_clock(setup->period_ns);
    return setitimer(ITIMER_PROF, &current, NULL) == 0 ? 0 : errno;
}

/// Whether the timer is still ours.
static bool is_ours(void) {
    struct itimerval now;
    return getitimer(ITIMER_PROF, &now) == 0 &&
           now.it_interval.tv_sec == current.it_interval.tv_sec &&
           now.it_interval.tv_usec == current.it_interval.tv_usec;
}

static int look_for_host(void) {
    return is_ours() ? 0 : EBUSY;
}

static void stop(void) {
    if (is_ours()) {
        struct itimerval off = {0};
        setitimer(ITIMER_PROF, &off, NULL);
    }
    wick_handler_weigh_by_process_clock(0);
}

static void after_fork(void) {
    // A child has no interval timers.
    wick_handler_weigh_by_process_clock(0);
}

const wick_engine_type wick_engine_process = {
    .identity = WICK_ENGINE_PROCESS_TIMER,
    .name = "process CPU timer, SIGPROF",
    .signal_number = SIGPROF,
    .probe = probe,
    .start = start,
    .rescan = look_for_host,
    .stop = stop,
    .after_fork = after_fork,
};
