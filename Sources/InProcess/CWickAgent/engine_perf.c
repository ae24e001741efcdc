// Engines 1 and 2: a perf task-clock event per thread. perf_event_open(2).
//
// Engine 1 has it send a synchronous SIGTRAP to the thread: exact to 10 kHz and more;
// `inherit_thread` covers threads made later, `remove_on_exec` spares the next program. Needs
// Linux 5.13.
// Engine 2 has the event's descriptor signal the thread with SIGPROF, for where SIGTRAP is not to be
// had. It is as exact, costs an interrupt more a sample, and must arm each new thread by itself: a
// copy that a child inherits would signal the thread that the descriptor belongs to.
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "armed_threads.h"
#include "engine.h"
#include "handler.h"
#include "proc.h"

static uint64_t period_ns;
/// Descriptors that may be ours, and that are.
static uint32_t budget;
static _Atomic uint32_t open_count;

static int open_event(pid_t tid, bool sigtrap, uint64_t cookie) {
    struct perf_event_attr attribute = {.type = PERF_TYPE_SOFTWARE,
                                        .size = sizeof(struct perf_event_attr),
                                        .config = PERF_COUNT_SW_TASK_CLOCK,
                                        .sample_period = period_ns,
                                        .disabled = 1,
                                        .inherit = sigtrap,
                                        .inherit_thread = sigtrap,
                                        .remove_on_exec = sigtrap,
                                        .sigtrap = sigtrap,
                                        .sig_data = sigtrap ? cookie : 0};
    return (int)syscall(SYS_perf_event_open, &attribute, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/// Whether an event can be had. Kernel time is part of the truth: where only user time may be seen,
/// this fails with EACCES, and the CPU timers, which see all of it, are the better engine.
static int probe(bool sigtrap) {
    period_ns = 1000000000;
    int descriptor = open_event(0, sigtrap, 0);
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
    return quarter < UINT32_MAX ? (uint32_t)quarter : UINT32_MAX;
}

/// Takes one of the budget and opens the event of a thread.
static int open_within_budget(pid_t tid, bool sigtrap, uint64_t cookie, int *descriptor) {
    if (atomic_fetch_add_explicit(&open_count, 1, memory_order_relaxed) >= budget) {
        atomic_fetch_sub_explicit(&open_count, 1, memory_order_relaxed);
        return EMFILE;
    }
    *descriptor = open_event(tid, sigtrap, cookie);
    if (*descriptor < 0) {
        atomic_fetch_sub_explicit(&open_count, 1, memory_order_relaxed);
        return errno;
    }
    return 0;
}

/// Whether a descriptor still is an event: some hosts close all, and open others by their numbers.
static bool is_event(int descriptor) {
    uint64_t id;
    return ioctl(descriptor, PERF_EVENT_IOC_ID, &id) == 0;
}

static void disarm(int descriptor) {
    if (is_event(descriptor)) {
        ioctl(descriptor, PERF_EVENT_IOC_DISABLE, 0);
        close(descriptor);
    }
    atomic_fetch_sub_explicit(&open_count, 1, memory_order_relaxed);
}

/// Not disabled: the event is the parent's.
static void forget(int descriptor) {
    if (is_event(descriptor)) {
        close(descriptor);
    }
}

static int start(const wick_engine_setup *setup, const wick_thread_trigger *trigger) {
    period_ns = setup->period_ns;
    atomic_store_explicit(&open_count, 0, memory_order_relaxed);
    budget = descriptor_budget();
    return wick_armed_start(setup, trigger);
}

// MARK: SIGTRAP

static int probe_trap(void) {
    // A debugger would be shown each tick, and keep it.
    return wick_proc_tracer() ? EBUSY : probe(true);
}

static int arm_trap(pid_t tid, uint64_t cookie, bool is_new, int *descriptor) {
    (void)is_new;
    // A thread made by one that was not armed yet is seen by the next scan. One that was armed by
    // inheritance gets a second event then; the handler counts only one of the two.
    int error = open_within_budget(tid, true, cookie, descriptor);
    if (!error) {
        // Enabled at once: children of this thread are covered from here on.
        ioctl(*descriptor, PERF_EVENT_IOC_ENABLE, 0);
    }
    return error;
}

static int start_trap(const wick_engine_setup *setup) {
    static const wick_thread_trigger trigger = {.arm = arm_trap, .disarm = disarm, .forget = forget};
    return start(setup, &trigger);
}

static int look_for_debugger(void) {
    return wick_proc_tracer() ? EBUSY : 0;
}

const wick_engine_type wick_engine_perf = {
    .identity = WICK_ENGINE_PERF_SIGTRAP,
    .name = "perf task-clock, SIGTRAP",
    .signal_number = SIGTRAP,
    .probe = probe_trap,
    .start = start_trap,
    .rescan = look_for_debugger,
    .stop = wick_armed_stop,
    .after_fork = wick_armed_forget,
};

// MARK: SIGPROF

static int probe_signal(void) {
    return probe(false);
}

static int arm_signal(pid_t tid, uint64_t cookie, bool is_new, int *descriptor) {
    (void)is_new;
    int error = open_within_budget(tid, false, cookie, descriptor);
    if (error) {
        return error;
    }
    struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = tid};
    if (fcntl(*descriptor, F_SETOWN_EX, &owner) != 0 ||
        fcntl(*descriptor, F_SETSIG, SIGPROF) != 0 ||
        fcntl(*descriptor, F_SETFL, O_RDWR | O_NONBLOCK | O_ASYNC) != 0) {
        error = errno;
    } else if (!wick_handler_own(*descriptor)) {
        error = EMFILE;
    }
    if (error) {
        disarm(*descriptor);
        return error;
    }
    ioctl(*descriptor, PERF_EVENT_IOC_ENABLE, 0);
    return 0;
}

static int start_signal(const wick_engine_setup *setup) {
    static const wick_thread_trigger trigger = {.arm = arm_signal, .disarm = disarm, .forget = forget};
    return start(setup, &trigger);
}

const wick_engine_type wick_engine_perf_signal = {
    .identity = WICK_ENGINE_PERF_SIGNAL,
    .name = "perf task-clock, SIGPROF",
    .signal_number = SIGPROF,
    .probe = probe_signal,
    .start = start_signal,
    .thread_began = wick_armed_thread_began,
    // More threads than descriptors: the timers, which need none, take over.
    .rescan = wick_armed_rescan,
    .stop = wick_armed_stop,
    .after_fork = wick_armed_forget,
    .unarmed = wick_armed_missing,
};
