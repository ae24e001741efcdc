#include "guest_hooks.h"

#ifdef WICK_PRELOAD

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "got_hooks.h"

// The functions are found by the loader under their own names only if the agent was preloaded.
#define HOOKS(EACH)                                                                                \
    EACH(execve)                                                                                   \
    EACH(execv)                                                                                    \
    EACH(execvp)                                                                                   \
    EACH(execvpe)                                                                                  \
    EACH(fexecve)                                                                                  \
    EACH(execveat)                                                                                 \
    EACH(execl)                                                                                    \
    EACH(execlp)                                                                                   \
    EACH(execle)                                                                                   \
    EACH(_exit)                                                                                    \
    EACH(_Exit)                                                                                    \
    EACH(sigaction)                                                                                \
    EACH(signal)

#define DECLARE(name) extern __typeof__(name) wick_hook_##name __attribute__((visibility("hidden")));
HOOKS(DECLARE)

static wick_got_hook hooks[] = {
#define ENTRY(name) {#name, (uintptr_t)wick_hook_##name, 0},
    HOOKS(ENTRY)};

static wick_got_set all = {.hooks = hooks, .count = sizeof(hooks) / sizeof(hooks[0])};

void wick_guest_hook(void) {
    for (size_t i = 0; i < all.count; i++) {
        // The one behind this library: the program's own place for it may be all that it has.
        hooks[i].theirs = (uintptr_t)dlsym(RTLD_NEXT, hooks[i].name);
    }
    wick_got_take(&all);
}

void wick_guest_unhook(void) {
    wick_got_give_back(&all);
}

#else

// A program that links the agent has its functions before libc's.
void wick_guest_hook(void) {
}

void wick_guest_unhook(void) {
}

#endif
