// A host of C that asks for ARC hooks and looks whether it was disturbed. It has a child of its
// own, a thread that waits for any child, and a handler of SIGCHLD.
//
//   host [LIBRARY [ignore]]    loads LIBRARY first, for itself alone if its name is
//                              libswiftCore.so; with "ignore", children that end are nobody's
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arc_hooks.h"

static volatile sig_atomic_t child_signals;
static uint64_t seen[2];

typedef struct {
    void *type;
    uint64_t references;
} object;

typedef void *retain_function(object *one);
typedef void release_function(object *one);

/// Called by the observer, as a handler of the host's might.
static retain_function *nested;
static object other = {NULL, 3};

static void count_signal(int number) {
    (void)number;
    child_signals += 1;
}

static void observe(bool is_retain, uint32_t count, const void *one,
                    const wick_registers *registers) {
    (void)one;
    (void)registers;
    seen[is_retain] += count;
    nested(&other);
}

/// Returns the first child that ends.
static void *wait_for_any(void *argument) {
    (void)argument;
    int status;
    pid_t child;
    while ((child = waitpid(-1, &status, 0)) < 0 && errno == EINTR) {
    }
    return (void *)(intptr_t)child;
}

static uint64_t descriptor_count(void) {
    uint64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder)) {
        count += 1;
    }
    closedir(folder);
    return count;
}

#define FLAG "_swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly"

int main(int count, char **arguments) {
    void *library = NULL;
    if (count > 1) {
        bool is_alone = strstr(arguments[1], "/libswiftCore.so") != NULL;
        library = dlopen(arguments[1], RTLD_NOW | (is_alone ? RTLD_LOCAL : RTLD_GLOBAL));
        if (!library) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
    }
    sigset_t before, after;
    bool ignores = count > 2 && strcmp(arguments[2], "ignore") == 0;
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = ignores ? SIG_IGN : count_signal}, NULL);
    pid_t own = fork();
    if (own == 0) {
        pause();
        _exit(0);
    }
    pthread_t waiter;
    pthread_create(&waiter, NULL, wait_for_any, NULL);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    uint64_t descriptors = descriptor_count();

    wick_arc_state state = wick_arc_begin(observe);
    printf("state %d\n", state);

    pthread_sigmask(SIG_SETMASK, NULL, &after);
    printf("signals %d mask %d descriptors %d\n", (int)child_signals,
           memcmp(&before, &after, sizeof(before)), (int)(descriptor_count() - descriptors));
    if (library && dlsym(library, "swift_retain")) {
        retain_function *retain = (retain_function *)dlsym(library, "swift_retain");
        release_function *release = (release_function *)dlsym(library, "swift_release");
        object one = {NULL, 3};
        nested = retain;
        if (state == WICK_ARC_ON) {
            retain(&one);
        }
        wick_arc_end();
        if (state == WICK_ARC_ON) {
            release(&one);
        }
        printf("seen %d %d lost %d references %d other %d\n", (int)seen[1], (int)seen[0],
               (int)wick_arc_lost_count(), (int)one.references, other.references != 3);
        uint8_t *flag = dlsym(library, FLAG);
        Dl_info where;
        void **place = dlsym(library, "_swift_retain");
        bool is_own = dladdr(*place, &where) && strcmp(where.dli_fname, arguments[1]) == 0;
        printf("flag %d own %d\n", flag ? *flag : -1, is_own);
    }
    kill(own, SIGKILL);
    void *waited = NULL;
    pthread_join(waiter, &waited);
    // Nothing is left to wait for, whichever way.
    bool has_more = waitpid(-1, NULL, WNOHANG | __WALL) >= 0;
    printf("waited %d more %d\n", waited == (void *)(intptr_t)(ignores ? -1 : own), has_more);
    return 0;
}
