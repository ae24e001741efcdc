/*
 * Programs to sample from outside, compiled by PerfProgram.swift, mostly with -static. Runs until
 * standard input ends (a test closes it, or dies), then prints its CPU time in nanoseconds.
 *
 *   workload split          leaf_seventy, leaf_twenty and leaf_ten take 70, 20 and 10 %
 *   workload late           does the same in one thread after another, for 200 ms of CPU time each
 *   workload kernel         reads zeros, which is work of the kernel
 *   workload plugin FILE    loads a library after 0.3 s and calls its plugin_burn from then on
 *   workload deep           200 calls deep
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Compilers give no frame to a function that calls none, and its caller would be missed. */
__attribute__((noipa)) static void keep_frame(void) {
    __asm__ volatile("");
}

/* Distinct constants: identical functions could be folded into one. */
#define LEAF(name, factor)                                                                        \
    __attribute__((noipa)) static uint64_t name(uint64_t rounds) {                                \
        uint64_t state = factor;                                                                  \
        keep_frame();                                                                             \
        for (uint64_t i = 0; i < rounds; i++) {                                                   \
            state = state * factor + i;                                                           \
            __asm__ volatile("" : "+r"(state));                                                   \
        }                                                                                         \
        return state;                                                                             \
    }

LEAF(leaf_seventy, 6364136223846793005u)
LEAF(leaf_twenty, 2862933555777941757u)
LEAF(leaf_ten, 3935559000370003845u)

static volatile uint64_t sink;

/* The empty statement keeps the call from being a jump. */
#define RETURN_HERE __asm__ volatile("")

__attribute__((noinline)) static void split_once(void) {
    sink += leaf_seventy(70000);
    sink += leaf_twenty(20000);
    sink += leaf_ten(10000);
    RETURN_HERE;
}

__attribute__((noinline)) static void middle(void) {
    split_once();
    RETURN_HERE;
}

static bool is_over(void) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) != 0;
}

static int64_t now_ns(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static void *late_thread(void *unused) {
    while (now_ns(CLOCK_THREAD_CPUTIME_ID) < 200000000) {
        middle();
    }
    return unused;
}

static void late(void) {
    while (!is_over()) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, late_thread, NULL) == 0) {
            pthread_join(thread, NULL);
        }
    }
}

__attribute__((noinline)) static void kernel_work(int zeros) {
    static char buffer[1 << 20];
    sink += (uint64_t)read(zeros, buffer, sizeof buffer);
    RETURN_HERE;
}

__attribute__((noinline)) static void kernel_caller(int zeros) {
    kernel_work(zeros);
    RETURN_HERE;
}

__attribute__((noinline)) static void deep(int depth) {
    if (depth > 0) {
        deep(depth - 1);
    } else {
        split_once();
    }
    RETURN_HERE;
}

int main(int count, char **words) {
    const char *mode = count > 1 ? words[1] : "split";
    if (strcmp(mode, "late") == 0) {
        late();
    } else if (strcmp(mode, "kernel") == 0) {
        for (int zeros = open("/dev/zero", O_RDONLY); !is_over();) {
            for (int i = 0; i < 20; i++) {
                kernel_caller(zeros);
            }
        }
    } else if (strcmp(mode, "deep") == 0) {
        while (!is_over()) {
            deep(200);
        }
#ifdef HAS_PLUGINS
    } else if (strcmp(mode, "plugin") == 0 && count > 2) {
        int64_t begin = now_ns(CLOCK_MONOTONIC);
        while (!is_over() && now_ns(CLOCK_MONOTONIC) < begin + 300000000) {
            middle();
        }
        void *library = dlopen(words[2], RTLD_NOW);
        void (*burn)(void) = library ? (void (*)(void))dlsym(library, "plugin_burn") : NULL;
        while (burn && !is_over()) {
            burn();
        }
#endif
    } else {
        while (!is_over()) {
            middle();
        }
    }
    printf("%lld\n", (long long)now_ns(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}
