// The preloaded agent stands before sigwait and its kin: a thread that takes all its signals that
// way is not given our ticks, which wait for it as it blocks them. See sigwaitinfo(2), sigwait(3).
#include "handler.h"

#ifdef WICK_PRELOAD

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

#define EXPORTED __attribute__((visibility("default")))

static __typeof__(sigtimedwait) *real;

/// Looked for early: dlsym takes the loader's lock.
__attribute__((constructor)) static void find_real(void) {
    real = (__typeof__(sigtimedwait) *)dlsym(RTLD_NEXT, "sigtimedwait");
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

EXPORTED int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout) {
    if (!real) {
        find_real();
    }
    siginfo_t unused, *got = info ? info : &unused;
    int64_t begin = timeout ? now_ns() : 0;
    int number = real(set, got, timeout);
    while (number > 0 && wick_handler_is_own(number, got)) {
        struct timespec rest = {0};
        int64_t passed = timeout ? now_ns() - begin : 0;
        // In seconds first: a timeout may be longer than 64 bits of nanoseconds.
        if (timeout && timeout->tv_sec >= passed / 1000000000) {
            int64_t left = timeout->tv_nsec - passed % 1000000000;
            rest.tv_sec = timeout->tv_sec - passed / 1000000000 - (left < 0);
            rest.tv_nsec = left + (left < 0 ? 1000000000 : 0);
            if (rest.tv_sec < 0) {
                rest = (struct timespec){0};
            }
        }
        number = real(set, got, timeout ? &rest : NULL);
    }
    return number;
}

EXPORTED int sigwaitinfo(const sigset_t *set, siginfo_t *info) {
    return sigtimedwait(set, info, NULL);
}

EXPORTED int sigwait(const sigset_t *set, int *number) {
    int saved = errno, got;
    do {
        got = sigtimedwait(set, NULL, NULL);
    } while (got < 0 && errno == EINTR);
    int error = got < 0 ? errno : 0;
    errno = saved;
    if (!error) {
        *number = got;
    }
    return error;
}

#else

/// ISO C wants a declaration in every file.
typedef int wick_wait_hooks_are_preloaded_only;

#endif
