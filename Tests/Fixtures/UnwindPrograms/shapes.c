// Stacks of every shape: a recursion of 10,000 frames, tail calls, code of a library that is loaded
// later, leaves of libc and the vdso, handlers on an alternate stack.
//
//   shapes MODE SECONDS      deep, tail, library, leaf, signal
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t sink;

static uint64_t work(uint64_t seed) {
    for (int i = 0; i < 200; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
    }
    return seed;
}

__attribute__((noinline)) static uint64_t recurse(unsigned depth, uint64_t seed) {
    return depth ? recurse(depth - 1, seed + 1) * 3 + seed : work(seed) + work(seed + 1);
}

__attribute__((noinline)) static void deep(void) {
    sink += recurse(10000, sink);
}

__attribute__((noinline)) static uint64_t tail_last(uint64_t a, uint64_t b) {
    return work(a) ^ b;
}

__attribute__((noinline)) static uint64_t tail_middle(uint64_t a, uint64_t b) {
    a = work(a);
    __attribute__((musttail)) return tail_last(a, b);
}

__attribute__((noinline)) static uint64_t tail_first(uint64_t a, uint64_t b) {
    b = work(b);
    __attribute__((musttail)) return tail_middle(b, a);
}

__attribute__((noinline)) static void tail(void) {
    sink += tail_first(sink, 7) + 1;
}

__attribute__((noinline)) static void library(void) {
    void *loaded = dlopen("libz.so.1", RTLD_NOW);
    uint64_t (*checksum)(uint64_t, const void *, unsigned) =
        loaded ? (uint64_t(*)(uint64_t, const void *, unsigned))dlsym(loaded, "crc32") : NULL;
    int (*compress)(void *, unsigned long *, const void *, unsigned long) =
        loaded ? (int (*)(void *, unsigned long *, const void *, unsigned long))dlsym(loaded,
                                                                                      "compress")
               : NULL;
    if (!checksum || !compress) {
        fprintf(stderr, "no libz.so.1\n");
        exit(2);
    }
    static uint8_t bytes[1 << 16], packed[1 << 17];
    for (int i = 0; i < 20; i++) {
        for (size_t j = 0; j < sizeof(bytes); j++) {
            bytes[j] = (uint8_t)work(j) & 15;
        }
        unsigned long size = sizeof(packed);
        sink += (uint64_t)compress(packed, &size, bytes, sizeof(bytes)) + checksum(0, bytes, 65536);
    }
}

static int by_value(const void *a, const void *b) {
    char text[2][32];
    snprintf(text[0], 32, "%d", *(const int *)a);
    snprintf(text[1], 32, "%d", *(const int *)b);
    return strcmp(text[0], text[1]);
}

__attribute__((noinline)) static void leaf(void) {
    static char from[4096], to[4096];
    struct timespec now;
    for (int i = 0; i < 500; i++) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        memmove(to, from, (size_t)now.tv_nsec % sizeof(to));
        sink += strlen(to) + (uint64_t)now.tv_nsec + (uint64_t)getppid();
    }
    int numbers[300];
    for (int i = 0; i < 300; i++) {
        numbers[i] = i * 7919 % 1000;
    }
    qsort(numbers, 300, sizeof(int), by_value);
}

static void on_signal(int number) {
    sink += recurse(30, (uint64_t)number);
    leaf();
}

__attribute__((noinline)) static void signals(void) {
    static uint8_t stack[1 << 16];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    action.sa_flags = 0;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

int main(int count, char **arguments) {
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"deep", deep}, {"tail", tail}, {"library", library}, {"leaf", leaf},
                 {"signal", signals}};
    double seconds = count > 2 ? atof(arguments[2]) : 1;
    for (size_t i = 0; count > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(arguments[1], modes[i].name) == 0) {
            clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);
            do {
                modes[i].run();
            } while (clock() < end);
            return 0;
        }
    }
    return 2;
}
