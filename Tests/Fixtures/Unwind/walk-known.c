// Samples itself by a timer and checks each walk against what is known of the program: each function
// has a section of its own, so its addresses are known, and who may call it. For any architecture.
//
//   walk-known MODE SECONDS     calls, signal, deep
//
// Prints one line of counts; exits 1 if a walk shows what cannot be.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "modules.h"
#include "registers.h"

enum { FRAME_LIMIT = 512, PERIOD_US = 1500 };

/// The functions, and which may be called by which (bits).
enum { LEAF, MIDDLE, COMPARE, SORT, HANDLER, SIGNALER, RECURSE, BOTTOM, FUNCTION_COUNT };

static const unsigned callers[FUNCTION_COUNT] = {
    [LEAF] = 1u << MIDDLE | 1u << RECURSE,
    [MIDDLE] = 1u << COMPARE | 1u << HANDLER,
    [COMPARE] = 1u << SORT,
    [SORT] = 1u << BOTTOM,
    [HANDLER] = 1u << SIGNALER,
    [SIGNALER] = 1u << BOTTOM,
    [RECURSE] = 1u << RECURSE | 1u << BOTTOM,
};

#define IN(name) __attribute__((noinline, section("walk_" #name)))
#define RANGE(name) extern const char __start_walk_##name[], __stop_walk_##name[]
RANGE(leaf);
RANGE(middle);
RANGE(compare);
RANGE(sort);
RANGE(handler);
RANGE(signaler);
RANGE(recurse);
RANGE(bottom);

static const struct {
    const char *start, *end;
} ranges[FUNCTION_COUNT] = {
    [LEAF] = {__start_walk_leaf, __stop_walk_leaf},
    [MIDDLE] = {__start_walk_middle, __stop_walk_middle},
    [COMPARE] = {__start_walk_compare, __stop_walk_compare},
    [SORT] = {__start_walk_sort, __stop_walk_sort},
    [HANDLER] = {__start_walk_handler, __stop_walk_handler},
    [SIGNALER] = {__start_walk_signaler, __stop_walk_signaler},
    [RECURSE] = {__start_walk_recurse, __stop_walk_recurse},
    [BOTTOM] = {__start_walk_bottom, __stop_walk_bottom},
};

static volatile uint64_t sink;

IN(leaf) static uint64_t leaf(uint64_t seed) {
    for (int i = 0; i < 100; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
    }
    return seed;
}

IN(middle) static uint64_t middle(uint64_t seed) {
    uint64_t words[40];
    for (int i = 0; i < 40; i++) {
        words[i] = leaf(seed + (uint64_t)i);
    }
    return words[seed % 40] + leaf(words[3]);
}

IN(compare) static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    sink += middle(x ^ y);
    return (x > y) - (x < y);
}

IN(sort) static void sort(void) {
    uint32_t numbers[64];
    for (uint32_t i = 0; i < 64; i++) {
        numbers[i] = i * 2654435761u >> 7;
    }
    qsort(numbers, 64, sizeof(numbers[0]), compare);
    sink += numbers[0];
}

IN(handler) static void on_signal(int number) {
    for (int i = 0; i < 20; i++) {
        sink += middle((uint64_t)number);
    }
}

IN(signaler) static void signaler(void) {
    raise(SIGUSR1);
    raise(SIGUSR2);
    sink += 1;
}

IN(recurse) static uint64_t recurse(unsigned depth, uint64_t seed) {
    return depth ? recurse(depth - 1, seed + 1) * 3 + seed : leaf(seed) + leaf(seed + 1);
}

static size_t samples, right, complete, truncated, deep, shown;
static volatile sig_atomic_t armed;
static uintptr_t stack_low, stack_high;
static wick_rule_cache cache;
static uint8_t scratch[8192];

static int function_of(uintptr_t address) {
    for (int i = 0; i < FUNCTION_COUNT; i++) {
        if (address >= (uintptr_t)ranges[i].start && address < (uintptr_t)ranges[i].end) {
            return i;
        }
    }
    return -1;
}

/// Whether our functions among the frames are such as call each other, down to the bottom.
static bool is_right(const uintptr_t *frames, size_t count, bool is_cut) {
    int callee = -1;
    for (size_t i = 0; i < count; i++) {
        bool exact = i == 0 || frames[i] & WICK_FRAME_MARK_INTERRUPTED;
        int function = function_of((frames[i] & ~WICK_FRAME_MARK_INTERRUPTED) - !exact);
        if (function < 0) {
            continue;
        }
        if (callee >= 0 && !(callers[callee] >> function & 1)) {
            return false;
        }
        callee = function;
    }
    return callee < 0 || callee == BOTTOM || is_cut;
}

static void on_tick(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    int saved = errno;
    if (armed) {
        wick_registers registers = registers_of(context);
        bool own_stack = registers.sp >= stack_low && registers.sp < stack_high;
        wick_stack_memory memory = {.high = own_stack ? stack_high : 0,
                                    .scratch = scratch,
                                    .scratch_byte_count = sizeof(scratch),
                                    .cache = &cache};
        uintptr_t frames[FRAME_LIMIT];
        wick_walk walk = wick_unwind(&registers, &memory, frames, FRAME_LIMIT);
        bool is_deep = walk.truncation == WICK_TRUNCATED_DEPTH;
        bool ok = is_right(frames, walk.frame_count, walk.truncation != 0);
        samples++;
        right += ok;
        complete += walk.truncation == 0;
        truncated += walk.truncation != 0 && !is_deep;
        deep += is_deep;
        if ((!ok || (walk.truncation && !is_deep)) && shown++ < 4) {
            fprintf(stderr, "%s truncation %u:", ok ? "right" : "wrong", walk.truncation);
            for (size_t i = 0; i < walk.frame_count && i < 20; i++) {
                fprintf(stderr, " %lx(%d)", (unsigned long)frames[i],
                        function_of((frames[i] & ~WICK_FRAME_MARK_INTERRUPTED) - (i > 0)));
            }
            fprintf(stderr, "\n");
        }
    }
    errno = saved;
}

IN(bottom) static void bottom(const char *mode, double seconds) {
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        if (strcmp(mode, "calls") == 0) {
            sort();
        } else if (strcmp(mode, "signal") == 0) {
            signaler();
        } else {
            sink += recurse(10000, sink);
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - start.tv_sec) + 1e-9 * (double)(now.tv_nsec - start.tv_nsec) <
             seconds);
}

int main(int count, char **arguments) {
    if (count != 3) {
        return 2;
    }
    pthread_attr_t attributes;
    void *low;
    size_t byte_count;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &byte_count);
    stack_low = (uintptr_t)low;
    stack_high = stack_low + byte_count;
    add_modules();
    static uint8_t other_stack[64 << 10];
    stack_t alternate = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)};
    sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    action.sa_flags |= SA_ONSTACK;
    sigaction(SIGUSR2, &action, NULL);
    struct sigaction tick = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&tick.sa_mask);
    sigaction(SIGALRM, &tick, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    struct itimerval every = {{0, PERIOD_US}, {0, PERIOD_US}};
    armed = true;
    setitimer(ITIMER_REAL, &every, NULL);
    bottom(arguments[1], atof(arguments[2]));
    armed = false;
    printf("samples %zu right %zu complete %zu truncated %zu deep %zu\n", samples, right, complete,
           truncated, deep);
    return right == samples ? 0 : 1;
}
