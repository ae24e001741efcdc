// Libraries that come and go.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "probe.h"

/// `load-loop LIBRARY…`: each library is loaded, its `wick_library_work` called and the library
/// unloaded, one after the other, for four seconds of CPU time. Prints the CPU seconds spent in it.
static int load_loop(char **arguments) {
    double end = thread_cpu() + 4, inside = 0;
    for (int i = 0; thread_cpu() < end; i++) {
        char *path = arguments[i % 2 && arguments[1] ? 1 : 0];
        void *library = dlopen(path, RTLD_NOW);
        if (!library) {
            return complain(dlerror(), 0, 1);
        }
        uint64_t (*work)(uint64_t) = (uint64_t(*)(uint64_t))dlsym(library, "wick_library_work");
        double before = thread_cpu();
        // One in eight stays long enough for a change of the modules to be seen meanwhile.
        work(i % 8 ? 20000 : 80000000);
        inside += thread_cpu() - before;
        dlclose(library);
    }
    printf("%.6f\n", inside);
    return 0;
}

/// `load-threads LIBRARY`: its constructor waits for a thread that makes a thread. What is not done
/// within the time is stuck.
static int load_threads(char **arguments) {
    alarm(20);
    for (int i = 0; i < 20; i++) {
        void *library = dlopen(arguments[0], RTLD_NOW);
        if (!library) {
            return complain(dlerror(), 0, 1);
        }
        dlclose(library);
    }
    return 0;
}

const probe_mode library_modes[] = {
    {"load-loop", load_loop}, {"load-threads", load_threads}, {NULL, NULL}};
