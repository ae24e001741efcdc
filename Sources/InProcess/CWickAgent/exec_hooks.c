// See exec_hooks.h. Each function does what the one of that name in libc does, see exec(3).
#include "exec_hooks.h"

#ifdef WICK_PRELOAD

#include <alloca.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

#define FOR_EACH_NAME(DO) DO(execve) DO(execv) DO(execvp) DO(execvpe) DO(fexecve) DO(execveat) DO(_exit)

/// libc's functions. Looked for early: dlsym takes the loader's lock, and these may be called from
/// a handler, or in a child whose parent has the lock.
static struct {
#define DECLARE(name) __typeof__(name) *name;
    FOR_EACH_NAME(DECLARE)
} reals;

__attribute__((constructor)) static void find_reals(void) {
#define FIND(name) reals.name = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);
    FOR_EACH_NAME(FIND)
}

#define REAL(name) (reals.name ? reals.name : (__typeof__(name) *)dlsym(RTLD_NEXT, #name))

/// Calls libc's function `name`, with the recording closed meanwhile.
#define CALL_REAL(name, ...)                                                                       \
    ({                                                                                             \
        __typeof__(name) *real = REAL(name);                                                       \
        bool paused = wick_agent_close(WICK_END_EXEC);                                                 \
        int result = real(__VA_ARGS__);                                                            \
        if (paused) {                                                                              \
            wick_agent_resume_after_exec();                                                        \
        }                                                                                          \
        result;                                                                                    \
    })

EXPORTED int execve(const char *path, char *const arguments[], char *const environment[]) {
    return CALL_REAL(execve, path, arguments, environment);
}

EXPORTED int execv(const char *path, char *const arguments[]) {
    return CALL_REAL(execv, path, arguments);
}

EXPORTED int execvp(const char *file, char *const arguments[]) {
    return CALL_REAL(execvp, file, arguments);
}

EXPORTED int execvpe(const char *file, char *const arguments[], char *const environment[]) {
    return CALL_REAL(execvpe, file, arguments, environment);
}

EXPORTED int fexecve(int file, char *const arguments[], char *const environment[]) {
    return CALL_REAL(fexecve, file, arguments, environment);
}

EXPORTED int execveat(int folder, const char *path, char *const arguments[],
                      char *const environment[], int flags) {
    return CALL_REAL(execveat, folder, path, arguments, environment, flags);
}

EXPORTED _Noreturn void _exit(int status) {
    wick_agent_close(WICK_END_EXITED);
    REAL(_exit)(status);
    __builtin_unreachable();
}

EXPORTED _Noreturn void _Exit(int status) {
    _exit(status);
}

/// Arguments up to and with the terminating NULL.
static size_t count_arguments(va_list list) {
    va_list copy;
    va_copy(copy, list);
    size_t count = 1;
    while (va_arg(copy, char *)) {
        count++;
    }
    va_end(copy);
    return count;
}

/// Collects `first` and the list behind it into an array on the caller's stack: exec may be called
/// where malloc may not.
#define COLLECT(array, first, list)                                                                \
    size_t array##_count = (first) ? count_arguments(list) : 0;                                    \
    char **array = alloca((array##_count + 1) * sizeof(char *));                                   \
    array[0] = (char *)(first);                                                                    \
    for (size_t i = 1; i <= array##_count; i++) {                                                  \
        array[i] = va_arg(list, char *);                                                           \
    }

EXPORTED int execl(const char *path, const char *first, ...) {
    va_list list;
    va_start(list, first);
    COLLECT(arguments, first, list);
    va_end(list);
    return execv(path, arguments);
}

EXPORTED int execlp(const char *file, const char *first, ...) {
    va_list list;
    va_start(list, first);
    COLLECT(arguments, first, list);
    va_end(list);
    return execvp(file, arguments);
}

EXPORTED int execle(const char *path, const char *first, ...) {
    va_list list;
    va_start(list, first);
    COLLECT(arguments, first, list);
    char **environment = va_arg(list, char **);
    va_end(list);
    return execve(path, arguments, environment);
}

#else

/// ISO C wants a declaration in every file.
typedef int wick_exec_hooks_are_preloaded_only;

#endif
