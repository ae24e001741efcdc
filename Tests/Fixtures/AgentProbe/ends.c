// The ways in which a process ends, each while threads work.
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "probe.h"

static double for_ever = 3600;

/// Two threads that work to the end, and no core file.
static void work_meanwhile(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, burn_in_thread, &for_ever);
    }
    burn(0.1);
}

static int burn_some(char **arguments) {
    burn(arguments[0] ? atof(arguments[0]) : 0.3);
    return 0;
}

static int burn_for_ever(char **arguments) {
    (void)arguments;
    burn(for_ever);
    return 0;
}

static int return_code(char **arguments) {
    return arguments[0] ? atoi(arguments[0]) : 0;
}

static int end_by_exit(char **arguments) {
    (void)arguments;
    work_meanwhile();
    exit(11);
}

static int end_hard(char **arguments) {
    (void)arguments;
    burn(0.3);
    _exit(9);
}

static int end_quickly(char **arguments) {
    (void)arguments;
    work_meanwhile();
    quick_exit(12);
}

static int end_by_abort(char **arguments) {
    (void)arguments;
    work_meanwhile();
    abort();
}

static int end_by_fault(char **arguments) {
    (void)arguments;
    work_meanwhile();
    *(volatile int *)8 = 1;
    return 0;
}

static int end_by_breakpoint(char **arguments) {
    (void)arguments;
    work_meanwhile();
#if defined(__x86_64__)
    __asm__ volatile("int3");
#else
    __builtin_debugtrap();
#endif
    return 0;
}

/// `end-by-signal NUMBER`: what nobody handles ends the process, our signals too.
static int end_by_signal(char **arguments) {
    work_meanwhile();
    kill(getpid(), atoi(arguments[0]));
    burn(1);
    return 0;
}

static void *end_as_last(void *unused) {
    (void)unused;
    burn(0.5);
    exit(13);
}

/// The first thread leaves; the process goes on until another thread ends it.
static int end_after_first_thread(char **arguments) {
    (void)arguments;
    burn(0.1);
    pthread_t thread;
    if (pthread_create(&thread, NULL, end_as_last, NULL) != 0) {
        return 1;
    }
    pthread_exit(NULL);
}

static void leave_from_handler(int number) {
    (void)number;
    _exit(14);
}

/// A crash handler that leaves by _exit, as many do.
static int end_in_handler(char **arguments) {
    (void)arguments;
    signal(SIGSEGV, leave_from_handler);
    return end_by_fault(arguments);
}

const probe_mode end_modes[] = {{"burn", burn_some},
                                {"forever", burn_for_ever},
                                {"exit", return_code},
                                {"hard-exit", end_hard},
                                {"end-exit", end_by_exit},
                                {"end-quick", end_quickly},
                                {"end-abort", end_by_abort},
                                {"end-fault", end_by_fault},
                                {"end-breakpoint", end_by_breakpoint},
                                {"end-signal", end_by_signal},
                                {"end-handler", end_in_handler},
                                {"end-last-thread", end_after_first_thread},
                                {NULL, NULL}};
