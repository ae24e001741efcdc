// The high-water mark of live bytes. Each new mark has a number; a row of counts remembers, before it changes
// for the first time after a mark, what it was at the mark: so what was live then is known of all rows
// without looking at any when the mark comes.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "allocation_counts.h"

typedef struct {
    /// As far as they were told; and the most that there were.
    __attribute__((aligned(64))) _Atomic int64_t live_bytes;
    _Atomic int64_t most_bytes;
    /// Of the latest mark, from 1. Read by all, so apart from what all change.
    __attribute__((aligned(64))) _Atomic uint64_t number;
} wick_peak;

extern __attribute__((visibility("hidden"))) wick_peak wick_peak_now;

/// HOOK-SAFE, on the thread that owns the row: before it changes.
static inline void wick_peak_note(wick_count_row *row) {
    uint64_t number = atomic_load_explicit(&wick_peak_now.number, memory_order_relaxed);
    if (atomic_load_explicit(&row->peak_number, memory_order_relaxed) == number) {
        return;
    }
    wick_count_side *side = atomic_load_explicit(&row->side, memory_order_relaxed);
    if (side) {
        atomic_store_explicit(&side->peak_objects,
                              atomic_load_explicit(&row->objects, memory_order_relaxed),
                              memory_order_relaxed);
        atomic_store_explicit(&side->peak_bytes,
                              atomic_load_explicit(&row->bytes, memory_order_relaxed),
                              memory_order_relaxed);
        atomic_store_explicit(&row->peak_number, number, memory_order_relaxed);
    }
}

/// HOOK-SAFE: live bytes have changed by so much.
void wick_peak_tell(int64_t bytes);

/// Begins again. No hook may be at work.
void wick_peak_reset(void);
