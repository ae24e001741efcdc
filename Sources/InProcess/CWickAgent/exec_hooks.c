// See exec_hooks.h. Each function does what the one of that name in libc does, see exec(3).
#include "exec_hooks.h"

#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hooks.h"

WICK_NEXT(execve)
WICK_NEXT(execv)
WICK_NEXT(execvp)
WICK_NEXT(execvpe)
WICK_NEXT(fexecve)
WICK_NEXT(execveat)
WICK_NEXT(_exit)

// MARK: static programs, where there is no next function

static int execve_alone(const char *path, char *const arguments[], char *const environment[]) {
    return (int)syscall(SYS_execve, path, arguments, environment);
}

static int execveat_alone(int folder, const char *path, char *const arguments[],
                          char *const environment[], int flags) {
    return (int)syscall(SYS_execveat, folder, path, arguments, environment, flags);
}

/// Tries the folders of PATH, as execvp(3) says; a script without an interpreter is not run.
static int execvpe_alone(const char *file, char *const arguments[], char *const environment[]) {
    if (strchr(file, '/')) {
        return execve_alone(file, arguments, environment);
    }
    const char *folder = getenv("PATH");
    folder = folder ? folder : "/bin:/usr/bin";
    int error = ENOENT;
    for (const char *end; folder; folder = *end ? end + 1 : NULL) {
        end = strchrnul(folder, ':');
        size_t length = (size_t)(end - folder), file_length = strlen(file);
        char path[PATH_MAX];
        if (length + 1 + file_length >= sizeof(path)) {
            continue;
        }
        memcpy(path, folder, length);
        path[length] = '/';
        memcpy(path + length + (length > 0), file, file_length + 1);
        execve_alone(path, arguments, environment);
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
            return -1;
        }
        error = errno == EACCES ? EACCES : error;
    }
    errno = error;
    return -1;
}

// MARK: hooks

WICK_ALIAS(execve)
WICK_ALIAS(execv)
WICK_ALIAS(execvp)
WICK_ALIAS(execvpe)
WICK_ALIAS(fexecve)
WICK_ALIAS(execveat)
WICK_ALIAS(execl)
WICK_ALIAS(execlp)
WICK_ALIAS(execle)
WICK_ALIAS(_exit)
WICK_ALIAS(_Exit)

/// Calls `call`, with the recording closed meanwhile.
#define CLOSED_DURING(call)                                                                        \
    ({                                                                                             \
        bool paused = wick_agent_close(WICK_END_EXEC);                                             \
        int result = call;                                                                         \
        if (paused) {                                                                              \
            wick_agent_resume_after_exec();                                                        \
        }                                                                                          \
        result;                                                                                    \
    })

WICK_HOOK int execve(const char *path, char *const arguments[], char *const environment[]) {
    return CLOSED_DURING((next_execve ? next_execve : execve_alone)(path, arguments, environment));
}

WICK_HOOK int execv(const char *path, char *const arguments[]) {
    return CLOSED_DURING(next_execv ? next_execv(path, arguments)
                                    : execve_alone(path, arguments, environ));
}

WICK_HOOK int execvp(const char *file, char *const arguments[]) {
    return CLOSED_DURING(next_execvp ? next_execvp(file, arguments)
                                     : execvpe_alone(file, arguments, environ));
}

WICK_HOOK int execvpe(const char *file, char *const arguments[], char *const environment[]) {
    return CLOSED_DURING((next_execvpe ? next_execvpe : execvpe_alone)(file, arguments,
                                                                       environment));
}

WICK_HOOK int fexecve(int file, char *const arguments[], char *const environment[]) {
    return CLOSED_DURING(next_fexecve
                             ? next_fexecve(file, arguments, environment)
                             : execveat_alone(file, "", arguments, environment, AT_EMPTY_PATH));
}

WICK_HOOK int execveat(int folder, const char *path, char *const arguments[],
                       char *const environment[], int flags) {
    return CLOSED_DURING((next_execveat ? next_execveat : execveat_alone)(
        folder, path, arguments, environment, flags));
}

WICK_HOOK _Noreturn void _exit(int status) {
    wick_agent_close(WICK_END_EXITED);
    if (next__exit) {
        next__exit(status);
    }
    syscall(SYS_exit_group, status);
    __builtin_unreachable();
}

WICK_HOOK _Noreturn void _Exit(int status) {
    WICK_OWN(_exit)(status);
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

WICK_HOOK int execl(const char *path, const char *first, ...) {
    va_list list;
    va_start(list, first);
    COLLECT(arguments, first, list);
    va_end(list);
    return WICK_OWN(execv)(path, arguments);
}

WICK_HOOK int execlp(const char *file, const char *first, ...) {
    va_list list;
    va_start(list, first);
    COLLECT(arguments, first, list);
    va_end(list);
    return WICK_OWN(execvp)(file, arguments);
}

WICK_HOOK int execle(const char *path, const char *first, ...) {
    va_list list;
    va_start(list, first);
    COLLECT(arguments, first, list);
    char **environment = va_arg(list, char **);
    va_end(list);
    return WICK_OWN(execve)(path, arguments, environment);
}
