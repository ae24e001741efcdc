#include "wick_agent_benchmark.h"

#ifndef WICK_PRELOAD

#include <execinfo.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "handler.h"
#include "images.h"
#include "threads.h"
#include "wick_agent.h"

enum { ROUNDS = 50, SAMPLES = 200, BACKTRACE_LIMIT = 256 };

static void ignore_image(const wick_image *image) {
    (void)image;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/// The registers of the calling function, as a signal would have found them.
static inline __attribute__((always_inline)) void capture(ucontext_t *context) {
    memset(context, 0, sizeof(*context));
#if defined(__x86_64__)
    __asm__ volatile("lea 0(%%rip), %0\n\tmov %%rsp, %1\n\tmov %%rbp, %2"
                     : "=r"(context->uc_mcontext.gregs[REG_RIP]),
                       "=r"(context->uc_mcontext.gregs[REG_RSP]),
                       "=r"(context->uc_mcontext.gregs[REG_RBP]));
#elif defined(__aarch64__)
    __asm__ volatile("adr %0, .\n\tmov %1, sp\n\tmov %2, x29"
                     : "=r"(context->uc_mcontext.pc), "=r"(context->uc_mcontext.sp),
                       "=r"(context->uc_mcontext.regs[29]));
#endif
}

static double best(double a, double b) {
    return a == 0 || b < a ? b : a;
}

__attribute__((noinline)) static wick_handler_cost measure_here(void) {
    ucontext_t context;
    capture(&context);
    wick_slot *slot = wick_threads_current();
    wick_handler_cost cost = {0};
    for (int round = 0; slot && round < ROUNDS; round++) {
        // As the writer leaves it: an empty ring whose memory has been touched.
        atomic_store(&slot->read, atomic_load(&slot->written));
        double start = seconds_now();
        for (int i = 0; i < SAMPLES; i++) {
            wick_handler_record(&context, 1ull << 32 | 1);
            atomic_store_explicit(&slot->read, atomic_load(&slot->written), memory_order_release);
        }
        double middle = seconds_now();
        void *addresses[BACKTRACE_LIMIT];
        for (int i = 0; i < SAMPLES; i++) {
            backtrace(addresses, BACKTRACE_LIMIT);
        }
        double end = seconds_now();
        cost.handler_ns = best(cost.handler_ns, (middle - start) / SAMPLES * 1e9);
        cost.backtrace_ns = best(cost.backtrace_ns, (end - middle) / SAMPLES * 1e9);
    }
    if (slot) {
        uint64_t mask = wick_threads_ring_words() - 1;
        uint64_t place = atomic_load(&slot->written);
        // The latest sample's head is found from the front, as the writer does.
        wick_handler_record(&context, 1ull << 32 | 1);
        uint64_t head = slot->ring[place & mask];
        cost.frame_count = (uint32_t)head == WICK_RING_PAD ? (uint32_t)slot->ring[0]
                                                           : (uint32_t)head;
    }
    return cost;
}

__attribute__((noinline)) static wick_handler_cost descend(uint32_t depth) {
    wick_handler_cost cost = depth > 0 ? descend(depth - 1) : measure_here();
    // Not a tail call: every level keeps its frame.
    __asm__ volatile("" ::: "memory");
    return cost;
}

wick_handler_cost wick_measure_handler(uint32_t depth) {
    if (!wick_threads_map(WICK_RATE_DEFAULT_HZ)) {
        return (wick_handler_cost){0};
    }
    wick_images_renumber(ignore_image);
    wick_images_refresh();
    wick_slot *slot = wick_threads_current();
    if (slot) {
        // The writer finds the bounds of a thread's stack; here everything above is readable.
        uintptr_t here = (uintptr_t)__builtin_frame_address(0);
        atomic_store(&slot->stack_low, here - (1 << 20));
        atomic_store(&slot->stack_high, here + 4096);
    }
    return descend(depth);
}

#else

/// ISO C wants a declaration in every file.
typedef int wick_benchmark_is_not_in_the_library;

#endif
