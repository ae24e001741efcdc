// Engine 1: a perf task-clock event per thread that sends a synchronous SIGTRAP to that thread.
// Exact to 10 kHz and more; `inherit_thread` covers threads made later, `remove_on_exec` spares the
// next program. perf_event_open(2); sigtrap needs Linux 5.13.
#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine.h"
#include "pages.h"
#include "proc.h"

enum : uint32_t { EVENT_LIMIT = 1 << 16, SCAN_LIMIT = 16 };

typedef struct {
    pid_t tid;
    int descriptor;
} event;

static event *events;
static uint32_t event_count;

static struct perf_event_attr attributes(uint64_t period_ns, uint64_t cookie) {
    return (struct perf_event_attr){.type = PERF_TYPE_SOFTWARE,
                                    .size = sizeof(struct perf_event_attr),
                                    .config = PERF_COUNT_SW_TASK_CLOCK,
                                    .sample_period = period_ns,
                                    .disabled = 1,
                                    .inherit = 1,
                                    .inherit_thread = 1,
                                    .remove_on_exec = 1,
                                    .sigtrap = 1,
                                    .sig_data = cookie};
}

static int open_event(pid_t tid, uint64_t period_ns, uint64_t cookie) {
    struct perf_event_attr attribute = attributes(period_ns, cookie);
    return (int)syscall(SYS_perf_event_open, &attribute, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static int probe(void) {
    // Kernel time is part of the truth: where only user time may be seen, this fails with EACCES
    // and the CPU timers, which see all of it, are the better engine.
    int descriptor = open_event(0, 1000000000, 0);
    if (descriptor < 0) {
        return errno;
    }
    close(descriptor);
    return 0;
}

static bool count_one(uint32_t number, void *context) {
    (void)number;
    ++*(uint32_t *)context;
    return true;
}

/// A quarter of the descriptors that are still free may be ours.
static uint32_t descriptor_budget(void) {
    struct rlimit limit;
    uint32_t used = 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        !wick_proc_each_number("/proc/self/fd", count_one, &used) || limit.rlim_cur <= used) {
        return 0;
    }
    rlim_t quarter = (limit.rlim_cur - used) / 4;
    return quarter < EVENT_LIMIT ? (uint32_t)quarter : EVENT_LIMIT;
}

typedef struct {
    const wick_engine_setup *setup;
    uint32_t budget;
    bool added;
    int error;
} scan;

static bool arm(uint32_t tid, void *context) {
    scan *state = context;
    if ((pid_t)tid == state->setup->writer_tid) {
        return true;
    }
    for (uint32_t i = 0; i < event_count; i++) {
        if (events[i].tid == (pid_t)tid) {
            return true;
        }
    }
    if (event_count >= state->budget) {
        state->error = EMFILE;
        return false;
    }
    uint64_t cookie = (uint64_t)state->setup->generation << 32 | (event_count + 1);
    int descriptor = open_event((pid_t)tid, state->setup->period_ns, cookie);
    if (descriptor >= 0) {
        events[event_count++] = (event){.tid = (pid_t)tid, .descriptor = descriptor};
        state->added = true;
        // Enabled at once: children of this thread are covered from here on.
        ioctl(descriptor, PERF_EVENT_IOC_ENABLE, 0);
    } else if (errno != ESRCH) {
        state->error = errno;
        return false;
    }
    return true;
}

static void stop(void) {
    for (uint32_t i = 0; i < event_count; i++) {
        ioctl(events[i].descriptor, PERF_EVENT_IOC_DISABLE, 0);
    }
    for (uint32_t i = 0; i < event_count; i++) {
        close(events[i].descriptor);
    }
    event_count = 0;
}

static int start(const wick_engine_setup *setup) {
    if (!events) {
        events = wick_pages_map(EVENT_LIMIT * sizeof(event));
        if (!events) {
            return ENOMEM;
        }
    }
    scan state = {.setup = setup, .budget = descriptor_budget()};
    // A thread made by one that was not armed yet is seen by the next scan. One that was armed by
    // inheritance gets a second event then; the handler counts only one of the two.
    for (uint32_t round = 0; round < SCAN_LIMIT; round++) {
        state.added = false;
        if (!wick_proc_each_number("/proc/self/task", arm, &state)) {
            state.error = errno;
        }
        if (!state.added || state.error) {
            break;
        }
    }
    if (state.error) {
        stop();
    }
    return state.error;
}

static void after_fork(void) {
    for (uint32_t i = 0; i < event_count; i++) {
        close(events[i].descriptor);
    }
    event_count = 0;
}

const wick_engine_type wick_engine_perf = {
    .identity = WICK_ENGINE_PERF_SIGTRAP,
    .name = "perf task-clock, SIGTRAP",
    .signal_number = SIGTRAP,
    .probe = probe,
    .start = start,
    .stop = stop,
    .after_fork = after_fork,
};
