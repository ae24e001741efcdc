// The agent stands before sigaction and signal: a host that takes SIGTRAP or SIGPROF while they are
// ours gets its foreign signals, and its own action when it asks, but not our ticks, which its
// handler would take for a crash.
#include <errno.h>
#include <string.h>

#include "hooks.h"
#include "taken_signals.h"

extern int __sigaction(int number, const struct sigaction *action, struct sigaction *old);

WICK_NEXT(sigaction)
WICK_ALIAS(sigaction)
WICK_ALIAS(signal)

WICK_HOOK int sigaction(int number, const struct sigaction *action, struct sigaction *old) {
    if (wick_signal_replace_previous(number, action, old)) {
        return 0;
    }
    return next_sigaction ? next_sigaction(number, action, old) : __sigaction(number, action, old);
}

/// signal(2) as glibc has it: calls are restarted, the handler stays.
WICK_HOOK sighandler_t signal(int number, sighandler_t handler) {
    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct sigaction old;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, number);
    return WICK_OWN(sigaction)(number, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}
