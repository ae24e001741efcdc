// Threads: short ones, many, small ones, ones that a library makes while it is loaded.
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

/// Threads that live for less than a second, one after the other and side by side.
static int churn(char **arguments) {
    (void)arguments;
    double seconds = 0.004;
    for (int round = 0; round < 60; round++) {
        pthread_t threads[8];
        for (int i = 0; i < 8; i++) {
            if (pthread_create(&threads[i], NULL, burn_in_thread, &seconds) != 0) {
                return 1;
            }
        }
        for (int i = 0; i < 8; i++) {
            pthread_join(threads[i], NULL);
        }
    }
    return 0;
}

/// 300 threads at once.
static int many_threads(char **arguments) {
    (void)arguments;
    enum { COUNT = 300 };
    static pthread_t threads[COUNT];
    double seconds = 0.01;
    for (int i = 0; i < COUNT; i++) {
        if (pthread_create(&threads[i], NULL, burn_in_thread, &seconds) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
    }
    return 0;
}

typedef struct {
    pthread_t thread;
    int tid;
    double cpu;
} worker;

enum { TURN_COUNT = 2 };
static sem_t turns;
static pthread_barrier_t all_began;

static void *take_turns(void *context) {
    worker *self = context;
    self->tid = (int)syscall(SYS_gettid);
    pthread_barrier_wait(&all_began);
    for (int i = 0; i < TURN_COUNT; i++) {
        sem_wait(&turns);
        burn(0.004);
        sem_post(&turns);
    }
    self->cpu = thread_cpu();
    return NULL;
}

/// `thousand-threads`: all alive at once, two at a time at work. Prints [[tid, CPU seconds], …].
static int thousand_threads(char **arguments) {
    (void)arguments;
    enum { COUNT = 1000 };
    static worker workers[COUNT];
    sem_init(&turns, 0, 2);
    pthread_barrier_init(&all_began, NULL, COUNT);
    for (int i = 0; i < COUNT; i++) {
        if (pthread_create(&workers[i].thread, NULL, take_turns, &workers[i]) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < COUNT; i++) {
        pthread_join(workers[i].thread, NULL);
        printf("%s[%d, %.6f]", i == 0 ? "[" : ", ", workers[i].tid, workers[i].cpu);
    }
    printf("]\n");
    return 0;
}

/// Threads with the smallest stacks that the system allows.
static int small_stacks(char **arguments) {
    (void)arguments;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, 16 << 10) != 0) {
        return 1;
    }
    double seconds = 0.1;
    for (int i = 0; i < 8; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, burn_in_thread, &seconds) != 0) {
            return 1;
        }
        pthread_join(thread, NULL);
    }
    return 0;
}

static void *burn_deep(void *unused) {
    (void)unused;
    // Leaves some 9 KiB of the 16 to the signal frame and what a handler needs.
    volatile char used[4 << 10];
    used[0] = 1;
    used[sizeof(used) - 1] = 1;
    burn(0.05);
    return NULL;
}

/// Small stacks of the host's own, side by side, without guards, given back at once.
static int own_stacks(char **arguments) {
    (void)arguments;
    enum { COUNT = 8 };
    // The audit of the handler has two signal frames of its own, and what it paints.
    const size_t bytes = getenv("WICK_AUDIT") ? 32 << 10 : 16 << 10;
    for (int round = 0; round < 10; round++) {
        char *stacks = aligned_alloc(4096, COUNT * bytes);
        pthread_t threads[COUNT];
        for (int i = 0; i < COUNT; i++) {
            pthread_attr_t attributes;
            pthread_attr_init(&attributes);
            if (pthread_attr_setstack(&attributes, stacks + i * bytes, bytes) != 0 ||
                pthread_create(&threads[i], &attributes, burn_deep, NULL) != 0) {
                return 1;
            }
        }
        for (int i = 0; i < COUNT; i++) {
            pthread_join(threads[i], NULL);
        }
        free(stacks);
    }
    return 0;
}

const probe_mode thread_modes[] = {{"churn", churn},
                                   {"many-threads", many_threads},
                                   {"thousand-threads", thousand_threads},
                                   {"small-stacks", small_stacks},
                                   {"own-stacks", own_stacks},
                                   {NULL, NULL}};
