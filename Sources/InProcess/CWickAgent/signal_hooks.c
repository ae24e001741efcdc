// The preloaded agent stands before sigaction and signal: a host that takes SIGTRAP or SIGPROF while
// they are ours gets its foreign signals, and its own action when it asks, but not our ticks, which
// its handler would take for a crash.
#include "taken_signals.h"

#ifdef WICK_PRELOAD

#include <errno.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

extern int __sigaction(int number, const struct sigaction *action, struct sigaction *old);

EXPORTED int sigaction(int number, const struct sigaction *action, struct sigaction *old) {
    return wick_signal_replace_previous(number, action, old) ? 0
                                                              : __sigaction(number, action, old);
}

/// signal(2) as glibc has it: calls are restarted, the handler stays.
EXPORTED sighandler_t signal(int number, sighandler_t handler) {
    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct sigaction old;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, number);
    return sigaction(number, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

#else

/// ISO C wants a declaration in every file.
typedef int wick_signal_hooks_are_preloaded_only;

#endif
