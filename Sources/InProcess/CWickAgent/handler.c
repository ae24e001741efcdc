// SIGNAL-SAFE: calls only clock_gettime (vdso, but for engine 4), wick_unwind, wick_threads_current,
// wick_writer_hurry and, for signals that are not ours, wick_signal_pass_on. Keeps errno, takes no lock, allocates
// nothing.
#include "handler.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "taken_signals.h"
#include "threads.h"
#include "unwind.h"
#include "writer.h"

#ifndef TRAP_PERF
#define TRAP_PERF 6
#endif

/// siginfo of a perf SIGTRAP, as <asm-generic/siginfo.h> lays it out; <signal.h> of glibc 2.36
/// has no names for it.
typedef struct {
    int signo, error, code, pad;
    void *address;
    unsigned long data;
    uint32_t type, flags;
} perf_siginfo;

_Static_assert(offsetof(perf_siginfo, data) == 24, "kernel ABI, 64 bit");

static _Atomic uint32_t accepted_generation;
static _Atomic uint64_t lost_no_slot;
static _Atomic bool windows_allowed = true;

enum : uint32_t {
    /// Descriptors of engine 2 have numbers below this.
    DESCRIPTOR_LIMIT = 1 << 16,
};

/// One bit per descriptor whose signals are ours. None is taken back: hosts have no descriptors that
/// send SIGPROF.
static _Atomic uint64_t own_descriptors[DESCRIPTOR_LIMIT / 64];

/// Engine 4: the period, 0 while it is not in use; and the process's CPU time that samples account
/// for.
static _Atomic uint64_t weighing_period_ns, weighed_ns;

static wick_registers registers_of(const ucontext_t *context) {
#if defined(__x86_64__)
    return (wick_registers){.pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP],
                            .sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP],
                            .fp = (uintptr_t)context->uc_mcontext.gregs[REG_RBP],
                            .base = (uintptr_t)context->uc_mcontext.gregs[REG_RBX],
                            .context = (uintptr_t)context->uc_mcontext.gregs[REG_R14]};
#elif defined(__aarch64__)
    return (wick_registers){.pc = context->uc_mcontext.pc,
                            .sp = context->uc_mcontext.sp,
                            .fp = context->uc_mcontext.regs[29],
                            .base = context->uc_mcontext.regs[30],
                            .context = context->uc_mcontext.regs[22]};
#endif
}

static void add(_Atomic uint64_t *counter, uint64_t amount) {
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

/// Records one sample. The ring's producer is this thread, and the handler does not nest: all
/// signals are blocked while it runs.
static void record(const ucontext_t *context, wick_cookie cookie, uint64_t weight) {
    wick_slot *slot = wick_threads_current();
    if (!slot) {
        add(&lost_no_slot, weight);
        return;
    }
    if (slot->cookie != cookie) {
        if (slot->cookie >> 32 == cookie >> 32) {
            return;  // A second event of this thread: only the first counts.
        }
        slot->cookie = cookie;
    }
    const uint64_t capacity = wick_threads_ring_words();
    const uint64_t most = WICK_RING_HEAD_WORDS + WICK_FRAME_LIMIT;
    uint64_t written = atomic_load_explicit(&slot->written, memory_order_relaxed);
    // Acquire: pairs with the writer's release, so that what we overwrite has been read.
    uint64_t free_words = capacity - (written - atomic_load_explicit(&slot->read,
                                                                      memory_order_acquire));
    uint64_t to_end = capacity - (written & (capacity - 1));
    uint64_t pad = to_end < most ? to_end : 0;
    if (free_words < pad + most) {
        add(&slot->lost_ring_full, weight);
        return;
    }
    if (pad) {
        slot->ring[written & (capacity - 1)] = pad << 32 | WICK_RING_PAD;
        written += pad;
    }
    uint64_t *sample = &slot->ring[written & (capacity - 1)];
    wick_registers registers = registers_of(context);
    uintptr_t low = atomic_load_explicit(&slot->stack_low, memory_order_relaxed);
    // Acquire: pairs with the writer's release; low is written before high.
    uintptr_t high = atomic_load_explicit(&slot->stack_high, memory_order_acquire);
    wick_stack_memory memory = {
        .high = low <= registers.sp && registers.sp < high ? high : 0,
        .scratch = atomic_load_explicit(&windows_allowed, memory_order_relaxed) ? slot->scratch : NULL,
        .scratch_byte_count = WICK_SCRATCH_BYTES,
        .cache = slot->rule_cache};
    if (!memory.high) {
        atomic_store_explicit(&slot->seen_sp, registers.sp, memory_order_relaxed);
        if (!memory.scratch && !high) {
            wick_writer_hurry();
        }
    }
    wick_walk walk = wick_unwind(&registers, &memory,
                                 (uintptr_t *)(sample + WICK_RING_HEAD_WORDS), WICK_FRAME_LIMIT);
    if (walk.met_unknown_code) {
        wick_writer_hurry();
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sample[0] = walk.frame_count;
    sample[1] = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    uint64_t steps = walk.frame_pointer_steps > 0xff ? 0xff : walk.frame_pointer_steps;
    sample[2] = weight << 16 | steps << 8 | (walk.truncation & 0xff);
    // Release: pairs with the writer's acquire.
    atomic_store_explicit(&slot->written, written + WICK_RING_HEAD_WORDS + walk.frame_count,
                          memory_order_release);
}

#ifndef WICK_PRELOAD
void wick_handler_record(const void *context, wick_cookie cookie) {
    record(context, cookie, 1);
}
#endif

static bool is_accepted(wick_cookie cookie) {
    // Acquire: as in record_anonymous.
    uint32_t generation = atomic_load_explicit(&accepted_generation, memory_order_acquire);
    return generation != 0 && cookie >> 32 == generation;
}

/// The periods of the process's CPU time since the last sample; 0 if another thread has just taken
/// them.
static uint64_t take_weight(uint64_t period_ns) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    uint64_t used = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    uint64_t weighed = atomic_load_explicit(&weighed_ns, memory_order_relaxed);
    uint64_t weight = used > weighed ? (used - weighed) / period_ns : 0;
    return atomic_compare_exchange_strong_explicit(&weighed_ns, &weighed,
                                                   weighed + weight * period_ns,
                                                   memory_order_relaxed, memory_order_relaxed)
               ? weight
               : 0;
}

/// Records a tick that nothing but the agent's state identifies.
static void record_anonymous(const void *context, uint32_t number, uint64_t weight) {
    // Acquire: pairs with wick_handler_accept; the slots are mapped before it.
    uint64_t generation = atomic_load_explicit(&accepted_generation, memory_order_acquire);
    if (generation != 0 && weight > 0) {
        record(context, generation << 32 | number, weight);
    }
}

/// Whether a cookie is one that we gave, in this recording or an earlier one.
static bool is_own(wick_cookie cookie) {
    return cookie >> 63;
}

static bool owns(int descriptor) {
    return descriptor >= 0 && (uint32_t)descriptor < DESCRIPTOR_LIMIT &&
           atomic_load_explicit(&own_descriptors[descriptor / 64], memory_order_relaxed) >>
                   (descriptor % 64) & 1;
}

bool wick_handler_is_own(int number, const siginfo_t *info) {
    if (number == SIGTRAP) {
        return info->si_code == TRAP_PERF && is_own(((const perf_siginfo *)info)->data);
    }
    bool weighs = atomic_load_explicit(&weighing_period_ns, memory_order_relaxed) != 0;
    return number == SIGPROF &&
           ((info->si_code == SI_TIMER && is_own((uintptr_t)info->si_value.sival_ptr)) ||
            (info->si_code == POLL_IN && owns(info->si_fd)) ||
            (info->si_code == SI_KERNEL && weighs));
}

static void on_trap(int number, siginfo_t *info, void *context) {
    int saved = errno;
    const perf_siginfo *perf = (const perf_siginfo *)info;
    if (info->si_code != TRAP_PERF || !is_own(perf->data)) {
        wick_signal_pass_on(number, info, context);
    } else if (is_accepted(perf->data)) {
        record(context, perf->data, 1);
    }
    errno = saved;
}

static void on_prof(int number, siginfo_t *info, void *context) {
    int saved = errno;
    wick_cookie cookie = (uintptr_t)info->si_value.sival_ptr;
    uint64_t period_ns = atomic_load_explicit(&weighing_period_ns, memory_order_relaxed);
    if (info->si_code == SI_TIMER && is_own(cookie)) {
        if (is_accepted(cookie)) {
            record(context, cookie, (uint64_t)info->si_overrun + 1);
        }
    } else if (info->si_code == POLL_IN && owns(info->si_fd)) {
        record_anonymous(context, (uint32_t)info->si_fd + 1, 1);
    } else if (info->si_code == SI_KERNEL && period_ns) {
        record_anonymous(context, 1, take_weight(period_ns));
    } else if ((info->si_code <= 0 && info->si_code != SI_TIMER) || !wick_signal_is_deadly(number)) {
        wick_signal_pass_on(number, info, context);
    }
    // Else a timer's or a descriptor's, of which the host has none: it would have died of the
    // first. So it is a late one of ours.
    errno = saved;
}

bool wick_handler_install(int number) {
    return wick_signal_take(number, number == SIGTRAP ? on_trap : on_prof);
}

bool wick_handler_own(int descriptor) {
    if (descriptor < 0 || (uint32_t)descriptor >= DESCRIPTOR_LIMIT) {
        return false;
    }
    atomic_fetch_or_explicit(&own_descriptors[descriptor / 64], UINT64_C(1) << (descriptor % 64),
                             memory_order_relaxed);
    return true;
}

void wick_handler_allow_windows(bool allowed) {
    atomic_store_explicit(&windows_allowed, allowed, memory_order_relaxed);
}

bool wick_handler_windows_allowed(void) {
    return atomic_load_explicit(&windows_allowed, memory_order_relaxed);
}

void wick_handler_weigh_by_process_clock(uint64_t period_ns) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    atomic_store_explicit(&weighed_ns, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
                          memory_order_relaxed);
    atomic_store_explicit(&weighing_period_ns, period_ns, memory_order_relaxed);
}

void wick_handler_accept(uint32_t generation) {
    // Release: pairs with is_accepted.
    atomic_store_explicit(&accepted_generation, generation, memory_order_release);
}

uint64_t wick_handler_lost_no_slot(void) {
    return atomic_load_explicit(&lost_no_slot, memory_order_relaxed);
}
