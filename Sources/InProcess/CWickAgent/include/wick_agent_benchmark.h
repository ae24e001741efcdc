// Measures the handler's own work on a stack of known depth, without the kernel's part of a signal.
// Not in libwick.so. For Samples/Benchmarks.
#pragma once

#include <stdint.h>

/// Nanoseconds per sample of this thread, best of several rounds.
typedef struct {
    uint32_t frame_count;
    /// The handler: unwind, clock, ring.
    double handler_ns;
    /// glibc's backtrace() on the same stack.
    double backtrace_ns;
} wick_handler_cost;

/// Walks a stack with `depth` calls in it. No recording may be under way in this process.
wick_handler_cost wick_measure_handler(uint32_t depth);
