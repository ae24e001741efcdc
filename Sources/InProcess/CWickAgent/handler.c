// SIGNAL-SAFE: calls only clock_gettime (vdso), wick_unwind, wick_threads_current and, for signals
// that are not ours, the action that was there before. Keeps errno, takes no lock, allocates nothing.
#include "handler.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "raw_syscall.h"
#include "threads.h"
#include "unwind.h"

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
/// glibc's own name for sigaction: that name itself may be ours (signal_hooks.c).
extern int __sigaction(int number, const struct sigaction *action, struct sigaction *old);

enum { ACTION_LIMIT = 64 };

/// A signal that we have taken. The host's action is replaced whole, by pointer; its old ones stay
/// for handlers that still read them, until the host has changed it ACTION_LIMIT times.
typedef struct {
    _Atomic bool installed;
    _Atomic(const struct sigaction *) previous;
    struct sigaction actions[ACTION_LIMIT];
    _Atomic uint32_t next_action;
} taken_signal;

static taken_signal taken_trap, taken_prof;

static taken_signal *taken(int number) {
    return number == SIGTRAP ? &taken_trap : number == SIGPROF ? &taken_prof : NULL;
}

static const struct sigaction *previous_of(taken_signal *signal) {
    // Acquire: pairs with set_previous.
    return atomic_load_explicit(&signal->previous, memory_order_acquire);
}

static void set_previous(taken_signal *signal, const struct sigaction *action) {
    uint32_t next = atomic_fetch_add_explicit(&signal->next_action, 1, memory_order_relaxed);
    struct sigaction *place = &signal->actions[next % ACTION_LIMIT];
    *place = *action;
    // Release: pairs with previous_of.
    atomic_store_explicit(&signal->previous, place, memory_order_release);
}

static wick_registers registers_of(const ucontext_t *context) {
#if defined(__x86_64__)
    return (wick_registers){.pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP],
                            .sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP],
                            .fp = (uintptr_t)context->uc_mcontext.gregs[REG_RBP],
                            .base = (uintptr_t)context->uc_mcontext.gregs[REG_RBX]};
#elif defined(__aarch64__)
    return (wick_registers){.pc = context->uc_mcontext.pc,
                            .sp = context->uc_mcontext.sp,
                            .fp = context->uc_mcontext.regs[29]};
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
        .scratch = slot->scratch,
        .scratch_byte_count = WICK_SCRATCH_BYTES,
        .cache = slot->rule_cache};
    if (!memory.high) {
        atomic_store_explicit(&slot->seen_sp, registers.sp, memory_order_relaxed);
    }
    wick_walk walk = wick_unwind(&registers, &memory,
                                 (uintptr_t *)(sample + WICK_RING_HEAD_WORDS), WICK_FRAME_LIMIT);
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
    // Acquire: pairs with wick_handler_accept; the slots are mapped before it.
    uint32_t generation = atomic_load_explicit(&accepted_generation, memory_order_acquire);
    return generation != 0 && cookie >> 32 == generation;
}

/// Passes a signal that is not ours to the action that was there before us.
static void pass_on(const struct sigaction *previous, int number, siginfo_t *info, void *context) {
    if (previous->sa_flags & SA_SIGINFO) {
        previous->sa_sigaction(number, info, context);
    } else if (previous->sa_handler == SIG_DFL) {
        // What would have happened without us: the signal ends the process, once we return.
        struct sigaction deadly = {.sa_handler = SIG_DFL};
        __sigaction(number, &deadly, NULL);
        raise(number);
    } else if (previous->sa_handler != SIG_IGN) {
        previous->sa_handler(number);
    }
}

static void on_trap(int number, siginfo_t *info, void *context) {
    int saved = errno;
    const perf_siginfo *perf = (const perf_siginfo *)info;
    if (info->si_code != TRAP_PERF) {
        pass_on(previous_of(&taken_trap), number, info, context);
    } else if (is_accepted(perf->data)) {
        record(context, perf->data, 1);
    }
    errno = saved;
}

static void on_prof(int number, siginfo_t *info, void *context) {
    int saved = errno;
    wick_cookie cookie = (uintptr_t)info->si_value.sival_ptr;
    if (info->si_code == SI_TIMER && is_accepted(cookie)) {
        record(context, cookie, (uint64_t)info->si_overrun + 1);
    } else if (info->si_code != SI_TIMER && previous_of(&taken_prof)->sa_handler != SIG_DFL) {
        // SIG_DFL would end the process; a late signal of ours must not, so it is ignored.
        pass_on(previous_of(&taken_prof), number, info, context);
    }
    errno = saved;
}

static void (*handler_of(int number))(int, siginfo_t *, void *) {
    return number == SIGTRAP ? on_trap : on_prof;
}

bool wick_handler_install(int number) {
    taken_signal *signal = taken(number);
    if (wick_handler_is_installed(number)) {
        return true;
    }
    struct sigaction action = {.sa_sigaction = handler_of(number),
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    // All but the faults, which cannot wait: the handler runs whole.
    sigfillset(&action.sa_mask);
    struct sigaction before;
    // The host's action is known before ours can run.
    if (__sigaction(number, NULL, &before) != 0) {
        return false;
    }
    set_previous(signal, &before);
    if (__sigaction(number, &action, NULL) != 0) {
        return false;
    }
    // Release: pairs with wick_handler_replace_previous.
    atomic_store_explicit(&signal->installed, true, memory_order_release);
    return true;
}

bool wick_handler_is_installed(int number) {
    struct sigaction action;
    return __sigaction(number, NULL, &action) == 0 && action.sa_flags & SA_SIGINFO &&
           action.sa_sigaction == handler_of(number);
}

bool wick_handler_replace_previous(int number, const struct sigaction *action,
                                   struct sigaction *old) {
    taken_signal *signal = taken(number);
    if (!signal || !atomic_load_explicit(&signal->installed, memory_order_acquire)) {
        return false;
    }
    // `old` may be the same object as `action`.
    struct sigaction before = *previous_of(signal);
    if (action) {
        set_previous(signal, action);
    }
    if (old) {
        *old = before;
    }
    return true;
}

void wick_handler_accept(uint32_t generation) {
    // Release: pairs with is_accepted.
    atomic_store_explicit(&accepted_generation, generation, memory_order_release);
}

uint64_t wick_handler_lost_no_slot(void) {
    return atomic_load_explicit(&lost_no_slot, memory_order_relaxed);
}
