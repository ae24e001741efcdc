// What the benchmarks need in C: signal handlers, and the unwinder beside its peers.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// One unwinder on the mixed stack, each sample by one unwinder in turn (cold, as in life), or
/// by all of them again on one sample (warm).
typedef struct {
    double cold_ns, warm_ns;
    uint64_t cold_frames, warm_frames;
    uint64_t cold_walks, warm_walks;
} wick_unwinder_cost;

typedef struct {
    wick_unwinder_cost wick, unw_step, backtrace;
    /// Walks by wick that did not reach the thread's entry.
    uint64_t truncated;
    /// Why there are no figures; NULL if there are.
    const char *failure;
} wick_unwinder_costs;

/// Interrupts SQLite, qsort and callbacks without frame pointers for some seconds. Builds tables first.
wick_unwinder_costs wick_measure_unwinders(double seconds);

typedef struct {
    uint64_t module_count, function_count, row_count, byte_count;
    double build_ns;
} wick_table_cost;

/// Builds the unwind tables of all loaded modules. The first call in a process counts: later ones
/// find the tables made.
wick_table_cost wick_measure_tables(void);
