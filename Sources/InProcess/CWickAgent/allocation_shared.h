// What the hooks of allocation.c read and the lifecycle in allocation_mode.c writes, and what hooks have lost.
#pragma once

#include <sys/types.h>

#include "allocation.h"

enum : uint32_t {
    WICK_INTERVAL_LIMIT = 1u << WICK_LIVE_INTERVAL_BITS,
    /// Number of the interval 1 in `intervals`.
    WICK_INTERVAL_EVERY = 0,
};

typedef struct {
    /// All intervals since the reset, by number; blocks refer to theirs.
    uint64_t intervals[WICK_INTERVAL_LIMIT];
    /// Number of the interval in force, or WICK_INTERVAL_LIMIT: none is.
    _Atomic uint32_t interval_now;
    _Atomic uint32_t now_ms;
    /// By slot; of this process.
    wick_allocation_state *states;
    pid_t owner;
    _Atomic uint64_t lost_allocations, lost_frees, retired_unknown_frees;
} wick_allocation_shared_state;

extern __attribute__((visibility("hidden"))) wick_allocation_shared_state wick_allocation_shared;
