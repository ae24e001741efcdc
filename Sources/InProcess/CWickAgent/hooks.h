// Functions of libc that the agent stands before, in the process that it is preloaded into or
// linked with: each does its part and calls the next function of its name.
#pragma once

#include <dlfcn.h>

// In a program that links the agent, a function of the program's own has precedence.
#ifdef WICK_PRELOAD
#define WICK_HOOK __attribute__((visibility("default")))
#else
#define WICK_HOOK __attribute__((weak))
#endif

/// The agent's function of this name, whatever the loader finds first under it; see guest_hooks.h.
#ifdef WICK_PRELOAD
#define WICK_OWN(name) wick_hook_##name
#define WICK_ALIAS(name)                                                                           \
    extern __typeof__(name) wick_hook_##name __attribute__((alias(#name), visibility("hidden")));
#else
#define WICK_OWN(name) name
#define WICK_ALIAS(name)
#endif

/// The next function of this name; NULL in a static program, which has no other. Looked up once, in
/// a constructor: exec and sigaction may be called where the loader must not be.
#define WICK_NEXT(name)                                                                            \
    static __typeof__(name) *next_##name;                                                          \
    __attribute__((constructor)) static void find_##name(void) {                                   \
        next_##name = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);                                 \
    }
