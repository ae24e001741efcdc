// Signals that the host handles, ignores, blocks or waits for, and its own timers.
#include <errno.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static volatile sig_atomic_t prof_count, trap_count;

static void count_prof(int number) {
    (void)number;
    prof_count = prof_count + 1;
}

static void count_trap(int number) {
    (void)number;
    trap_count = trap_count + 1;
}

__attribute__((constructor)) static void take_signals_early(void) {
    const char *what = getenv("WICK_PROBE_SIGNALS");
    if (what) {
        bool ignored = strcmp(what, "ignored") == 0;
        signal(SIGPROF, ignored ? SIG_IGN : count_prof);
        signal(SIGTRAP, ignored ? SIG_IGN : count_trap);
    }
}

/// `own-handlers [LEAST]`: the host's own handlers of our signals keep working, and see nothing of
/// ours. LEAST of its 50 SIGPROFs must arrive.
static int own_handlers(char **arguments) {
    int least = arguments[0] ? atoi(arguments[0]) : 50;
    for (int i = 0; i < 50; i++) {
        raise(SIGPROF);
        raise(SIGTRAP);
        burn(0.005);
    }
    return prof_count >= least && prof_count <= 50 && trap_count == 50 ? 0 : 1;
}

/// Handlers that the host sets while it is sampled, as crash reporters do: they get what is theirs,
/// none of ours, and the host is told of its own handler when it asks.
static int late_handlers(char **arguments) {
    (void)arguments;
    burn(0.1);
    struct sigaction action = {.sa_handler = count_trap}, asked;
    if (signal(SIGPROF, count_prof) == SIG_ERR || sigaction(SIGTRAP, &action, NULL) != 0) {
        return 1;
    }
    for (int i = 0; i < 50; i++) {
        raise(SIGPROF);
        raise(SIGTRAP);
        burn(0.005);
    }
    return prof_count == 50 && trap_count == 50 && sigaction(SIGTRAP, NULL, &asked) == 0 &&
                   asked.sa_handler == count_trap
               ? 0
               : 1;
}

enum { WAY_COUNT = 4, ROUND_COUNT = 40 };

/// What arrived, by si_code.
static volatile sig_atomic_t by_raise, by_kill, by_queue, wrong;
static volatile uintptr_t expected_value;

static void look_at(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    if (info->si_code == SI_TKILL && info->si_pid == getpid()) {
        by_raise = by_raise + 1;
    } else if (info->si_code == SI_USER && info->si_pid == getpid()) {
        by_kill = by_kill + 1;
    } else if (info->si_code == SI_QUEUE && info->si_value.sival_ptr == (void *)expected_value) {
        by_queue = by_queue + 1;
    } else {
        wrong = wrong + 1;
    }
}

/// Each way to send a signal arrives once, with its code and its value.
static int signal_values(char **arguments) {
    (void)arguments;
    struct sigaction action = {.sa_sigaction = look_at, .sa_flags = SA_SIGINFO};
    sigaction(SIGPROF, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
    for (int i = 0; i < ROUND_COUNT; i++) {
        for (int k = 0; k < 2; k++) {
            int number = k ? SIGTRAP : SIGPROF;
            // Wide values, and such as an agent may use for its own.
            expected_value = (uintptr_t)i << 33 | (uintptr_t)i;
            union sigval value = {.sival_ptr = (void *)expected_value};
            raise(number);
            pthread_kill(pthread_self(), number);
            kill(getpid(), number);
            sigqueue(getpid(), number, value);
            burn(0.002);
        }
    }
    if (by_raise != 4 * ROUND_COUNT) {
        return complain("signals by raise and pthread_kill", by_raise, 4 * ROUND_COUNT);
    }
    if (by_kill != 2 * ROUND_COUNT) {
        return complain("signals by kill", by_kill, 2 * ROUND_COUNT);
    }
    if (by_queue != 2 * ROUND_COUNT) {
        return complain("signals by sigqueue", by_queue, 2 * ROUND_COUNT);
    }
    return wrong == 0 ? 0 : complain("signals of another kind", wrong, 0);
}

static volatile sig_atomic_t nested, nested_in_time;

static void count_nested(int number) {
    (void)number;
    nested = nested + 1;
}

static void raise_another(int number) {
    (void)number;
    raise(SIGUSR1);
    nested_in_time = nested;
}

/// The host's handler runs as it was asked for: with its own mask, and once where it said so.
static int handler_flags(char **arguments) {
    (void)arguments;
    signal(SIGUSR1, count_nested);
    struct sigaction action = {.sa_handler = raise_another};
    sigaction(SIGPROF, &action, NULL);
    burn(0.1);
    raise(SIGPROF);
    if (nested_in_time != 1) {
        return complain("signals inside of a handler that does not block them", nested_in_time, 1);
    }
    action = (struct sigaction){.sa_handler = count_prof, .sa_flags = SA_RESETHAND};
    sigaction(SIGPROF, &action, NULL);
    raise(SIGPROF);
    struct sigaction after;
    sigaction(SIGPROF, NULL, &after);
    return prof_count == 1 && after.sa_handler == SIG_DFL
               ? 0
               : complain("handlers left by SA_RESETHAND", after.sa_handler != SIG_DFL, 0);
}

/// Ignored signals stay ignored: `ignored-signals`, with WICK_PROBE_SIGNALS=ignored from the start.
static int ignored_signals(char **arguments) {
    (void)arguments;
    burn(0.15);
    signal(SIGPROF, SIG_IGN);
    signal(SIGTRAP, SIG_IGN);
    for (int i = 0; i < 20; i++) {
        raise(SIGPROF);
        raise(SIGTRAP);
        kill(getpid(), SIGPROF);
        burn(0.005);
    }
    burn(0.15);
    return 0;
}

static int blocked_tid, open_tid;

static void *burn_blocked(void *unused) {
    (void)unused;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    blocked_tid = (int)syscall(SYS_gettid);
    burn(0.5);
    // Our signal waits now: let in, it does no harm.
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
    burn(0.05);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    burn(0.5);
    return NULL;
}

static void *burn_open(void *unused) {
    (void)unused;
    open_tid = (int)syscall(SYS_gettid);
    burn(1);
    return NULL;
}

/// A thread that blocks all signals and one that does not. Prints their ids, in this order.
static int blocked_thread(char **arguments) {
    (void)arguments;
    pthread_t blocked, open;
    if (pthread_create(&blocked, NULL, burn_blocked, NULL) != 0 ||
        pthread_create(&open, NULL, burn_open, NULL) != 0) {
        return 1;
    }
    pthread_join(blocked, NULL);
    pthread_join(open, NULL);
    printf("[%d, %d]\n", blocked_tid, open_tid);
    return 0;
}

/// A host that takes all its signals by sigtimedwait, on a thread that also works.
static int wait_for_signals(char **arguments) {
    (void)arguments;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    struct timespec soon = {.tv_nsec = 1000000};
    for (int i = 0; i < 100; i++) {
        burn(0.005);
        raise(SIGUSR1);
        siginfo_t info;
        int got = sigtimedwait(&all, &info, &soon);
        if (got != SIGUSR1) {
            return complain("signal that sigtimedwait gave", got, SIGUSR1);
        }
        got = sigtimedwait(&all, &info, &soon);
        if (got != -1 || errno != EAGAIN) {
            return complain("signal or error that sigtimedwait gave", got < 0 ? -errno : got,
                            -EAGAIN);
        }
    }
    return 0;
}

/// The host's own profiling timer.
static int own_itimer(char **arguments) {
    (void)arguments;
    signal(SIGPROF, count_prof);
    struct itimerval every = {.it_interval = {.tv_usec = 20000}, .it_value = {.tv_usec = 20000}};
    struct itimerval asked;
    if (setitimer(ITIMER_PROF, &every, NULL) != 0) {
        return 1;
    }
    burn(1);
    int count = prof_count;
    if (getitimer(ITIMER_PROF, &asked) != 0 || asked.it_interval.tv_usec < 19000 ||
        asked.it_interval.tv_usec > 24000) {
        return complain("microseconds between signals of the profiling timer",
                        asked.it_interval.tv_usec, 20000);
    }
    struct itimerval none = {0};
    setitimer(ITIMER_PROF, &none, NULL);
    // 50 of this thread's time, and some of the agent's.
    return count >= 40 && count <= 75 ? 0 : complain("signals of the profiling timer", count, 50);
}

enum { TIMER_VALUE = 0x4711 };

static void count_timer(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    if (info->si_code == SI_TIMER && info->si_value.sival_int == TIMER_VALUE) {
        prof_count = prof_count + 1;
    } else {
        wrong = wrong + 1;
    }
}

/// The host's own CPU timer, with our signal.
static int own_timer(char **arguments) {
    (void)arguments;
    struct sigaction action = {.sa_sigaction = count_timer, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGPROF, &action, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGPROF,
                             .sigev_value = {.sival_int = TIMER_VALUE}};
    timer_t timer;
    struct itimerspec every = {.it_interval = {.tv_nsec = 20000000},
                               .it_value = {.tv_nsec = 20000000}};
    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) != 0 ||
        timer_settime(timer, 0, &every, NULL) != 0) {
        return 1;
    }
    burn(1);
    timer_delete(timer);
    if (wrong != 0) {
        return complain("signals with a wrong code or value", wrong, 0);
    }
    // Ours and the host's of the same moment may be one.
    return prof_count >= 30 && prof_count <= 51 ? 0 : complain("signals of the timer", prof_count, 50);
}

/// What a perf event with a signal sends (asm-generic/siginfo.h); glibc has no names for it.
typedef struct {
    int signo, error, code, pad;
    void *address;
    uint64_t data;
} perf_siginfo;

static const uint64_t EVENT_DATA = UINT64_C(0x0123456789abcdef);

static void count_event(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    enum { TRAP_PERF_CODE = 6 };
    const perf_siginfo *event = (const perf_siginfo *)info;
    if (event->code == TRAP_PERF_CODE && event->data == EVENT_DATA) {
        trap_count = trap_count + 1;
    } else {
        wrong = wrong + 1;
    }
}

/// The host's own perf event, with our signal.
static int own_perf(char **arguments) {
    (void)arguments;
    struct sigaction action = {.sa_sigaction = count_event, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGTRAP, &action, NULL);
    struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE,
                                    .size = sizeof(event),
                                    .config = PERF_COUNT_SW_TASK_CLOCK,
                                    .sample_period = 5000000,
                                    .remove_on_exec = 1,
                                    .sigtrap = 1,
                                    .sig_data = EVENT_DATA};
    int descriptor = (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (descriptor < 0) {
        return complain("errno of perf_event_open", errno, 0);
    }
    burn(1);
    close(descriptor);
    if (wrong != 0) {
        return complain("signals with a wrong code or value", wrong, 0);
    }
    return trap_count >= 150 && trap_count <= 210 ? 0
                                                  : complain("signals of the event", trap_count, 200);
}

const probe_mode signal_modes[] = {{"own-handlers", own_handlers},
                                   {"late-handlers", late_handlers},
                                   {"signal-values", signal_values},
                                   {"handler-flags", handler_flags},
                                   {"ignored-signals", ignored_signals},
                                   {"blocked-thread", blocked_thread},
                                   {"wait-for-signals", wait_for_signals},
                                   {"own-itimer", own_itimer},
                                   {"own-timer", own_timer},
                                   {"own-perf", own_perf},
                                   {NULL, NULL}};
