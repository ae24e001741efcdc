// SIGNAL-SAFE parts: wick_signal_is_deadly and wick_signal_pass_on, which call raw system calls,
// __sigaction, raise, and the host's own handler.
#include "taken_signals.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "proc.h"
#include "raw_syscall.h"

/// glibc's own name for sigaction: that name itself may be ours (signal_hooks.c).
extern int __sigaction(int number, const struct sigaction *action, struct sigaction *old);

enum {
    ACTION_LIMIT = 64,
    /// How often, 1 ms apart, we look whether pending signals have been delivered.
    PENDING_LOOKS = 20,
    KERNEL_SIGSET_BYTES = 8,
};

/// A signal that we have taken. The host's action is replaced whole, by pointer; its old ones stay
/// for handlers that still read them, until the host has changed it ACTION_LIMIT times.
typedef struct {
    int number;
    _Atomic bool taken;
    void (*handler)(int, siginfo_t *, void *);
    _Atomic(const struct sigaction *) previous;
    struct sigaction actions[ACTION_LIMIT];
    _Atomic uint32_t next_action;
} taken_signal;

static taken_signal taken_trap = {.number = SIGTRAP}, taken_prof = {.number = SIGPROF};

static taken_signal *find(int number) {
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

bool wick_signal_take(int number, void (*handler)(int, siginfo_t *, void *)) {
    taken_signal *signal = find(number);
    signal->handler = handler;
    if (wick_signal_is_taken(number)) {
        return true;
    }
    struct sigaction before;
    // The host's action is known before ours can run.
    if (__sigaction(number, NULL, &before) != 0) {
        return false;
    }
    set_previous(signal, &before);
    // On the alternate stack only where the host itself would be: its stacks may be too small for
    // any handler (Go), or its alternate stack for one more.
    struct sigaction action = {.sa_sigaction = handler,
                               .sa_flags = SA_SIGINFO | SA_RESTART | (before.sa_flags & SA_ONSTACK)};
    // All but the faults, which cannot wait: the handler runs whole.
    sigfillset(&action.sa_mask);
    if (__sigaction(number, &action, NULL) != 0) {
        return false;
    }
    // Release: pairs with wick_signal_replace_previous.
    atomic_store_explicit(&signal->taken, true, memory_order_release);
    return true;
}

bool wick_signal_is_taken(int number) {
    struct sigaction action;
    return __sigaction(number, NULL, &action) == 0 && action.sa_flags & SA_SIGINFO &&
           action.sa_sigaction == find(number)->handler;
}

static void wait_a_moment(void) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

typedef struct {
    uint64_t bit;
    bool found;
} search;

static bool is_pending_in(uint32_t tid, void *context) {
    search *pending = context;
    pending->found = (wick_proc_status((pid_t)tid, "SigPnd", 16) |
                      wick_proc_status((pid_t)tid, "ShdPnd", 16)) &
                     pending->bit;
    return !pending->found;
}

/// Whether a signal waits for delivery somewhere.
static bool is_pending(int number) {
    search pending = {.bit = UINT64_C(1) << (number - 1)};
    return !wick_proc_each_number("/proc/self/task", is_pending_in, &pending) || pending.found;
}

static bool count_one(uint32_t tid, void *context) {
    (void)tid;
    return ++*(unsigned *)context < 3;
}

/// Whether the calling thread is the only one; the agent's own may be about to end.
static bool is_alone(void) {
    for (int look = 0; look < PENDING_LOOKS; look++) {
        unsigned count = 0;
        if (!wick_proc_each_number("/proc/self/task", count_one, &count) || count > 2) {
            return false;
        }
        if (count == 1) {
            return true;
        }
        wait_a_moment();
    }
    return false;
}

/// Whether no tick can be on its way. The kernel chooses the action when it takes a signal from the
/// queue, so what is in no queue is either still to come or already ours.
static bool none_will_come(int number) {
    if (number == SIGTRAP) {
        // A tick in a system call that then blocked is sent when the call returns, be it hours
        // after the event was closed (measured on Linux 6.18): in no queue, and nowhere to be seen.
        // Only the calling thread is known to have returned.
        return is_alone();
    }
    for (int look = 0; is_pending(number); look++) {
        if (look == PENDING_LOOKS) {
            return false;
        }
        wait_a_moment();
    }
    return true;
}

static void give_back(taken_signal *signal) {
    const struct sigaction *given;
    do {
        given = previous_of(signal);
        __sigaction(signal->number, given, NULL);
        // Release: from here on the host's calls go to the kernel.
        atomic_store_explicit(&signal->taken, false, memory_order_release);
        // The host may have changed its mind between.
    } while (given != previous_of(signal));
}

/// What is ignored may come late.
static bool is_ignored(const struct sigaction *action) {
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_IGN;
}

bool wick_signal_give_back(int number) {
    taken_signal *signal = find(number);
    if (!atomic_load_explicit(&signal->taken, memory_order_acquire)) {
        return true;
    }
    // Taken by the host without our seeing it: it is the host's already.
    bool is_gone = !wick_signal_is_taken(number);
    if (is_gone) {
        atomic_store_explicit(&signal->taken, false, memory_order_release);
    } else if (is_ignored(previous_of(signal)) || none_will_come(number)) {
        give_back(signal);
    } else {
        return false;
    }
    return true;
}

static void give_back_all(bool only_ignored) {
    taken_signal *all[] = {&taken_trap, &taken_prof};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (atomic_load_explicit(&all[i]->taken, memory_order_acquire) &&
            (!only_ignored || is_ignored(previous_of(all[i])))) {
            give_back(all[i]);
        }
    }
}

void wick_signals_hand_on(void) {
    give_back_all(true);
}

void wick_signals_give_back_in_child(void) {
    give_back_all(false);
}

bool wick_signal_replace_previous(int number, const struct sigaction *action,
                                  struct sigaction *old) {
    taken_signal *signal = find(number);
    if (!signal || !atomic_load_explicit(&signal->taken, memory_order_acquire)) {
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

static bool has_handler(const struct sigaction *action) {
    return action->sa_flags & SA_SIGINFO ||
           (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

bool wick_signal_is_deadly(int number) {
    const struct sigaction *action = previous_of(find(number));
    return !has_handler(action) && action->sa_handler == SIG_DFL;
}

/// The first 64 signals of a set, as the kernel has them.
static uint64_t kernel_set(const sigset_t *set) {
    uint64_t bits;
    __builtin_memcpy(&bits, set, sizeof(bits));
    return bits;
}

/// Calls the host's handler with the signals blocked that it would have blocked without us.
static void call(const struct sigaction *action, int number, siginfo_t *info, void *context) {
    uint64_t mask = kernel_set(&((const ucontext_t *)context)->uc_sigmask) |
                    kernel_set(&action->sa_mask);
    if (!(action->sa_flags & SA_NODEFER)) {
        mask |= UINT64_C(1) << (number - 1);
    }
    uint64_t all;
    wick_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)&all,
                      KERNEL_SIGSET_BYTES, 0, 0);
    if (action->sa_flags & SA_SIGINFO) {
        action->sa_sigaction(number, info, context);
    } else {
        action->sa_handler(number);
    }
    wick_raw_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, KERNEL_SIGSET_BYTES, 0, 0);
}

void wick_signal_pass_on(int number, siginfo_t *info, void *context) {
    taken_signal *signal = find(number);
    struct sigaction action = *previous_of(signal);
    static const struct sigaction by_default = {.sa_handler = SIG_DFL};
    if (action.sa_flags & SA_RESETHAND) {
        set_previous(signal, &by_default);
    }
    // A fault of the program's own cannot be ignored: the kernel ends it then.
    bool is_fault = number == SIGTRAP && info->si_code > 0;
    if (has_handler(&action)) {
        call(&action, number, info, context);
    } else if (action.sa_handler == SIG_DFL || is_fault) {
        // The signal ends the process, once we return.
        __sigaction(number, &by_default, NULL);
        raise(number);
    }
}
