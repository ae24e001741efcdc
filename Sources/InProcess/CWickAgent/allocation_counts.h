// What each thread counts: one row of running totals for each (stack, kind, owner, type). A thread
// writes only its own rows; the writer thread reads them all and tells what was added.
//
//   rows   [ row │ row │ … ]   sides [ side │ side │ … ]    level 0 in the thread's state, each next one 4
//                                                           times larger
//
// A row is in one of a few places that its hash names. If all of them are taken there is a new level, and what
// is in older ones stays as it is: whatever is counted again has a row anew, and what a key has counted is the
// sum of its rows. What is seldom needed of a row is beside.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "wick_format.h"

enum : uint32_t {
    WICK_COUNT_LEVELS = 9,
    /// Rows of the first level.
    WICK_COUNT_FIRST = 64,
    /// Objects are counted in parts, as one that was chosen stands for a fraction of others too.
    WICK_COUNT_FRACTION_BITS = 16,
};

/// What is kept of a row apart.
typedef struct {
    /// Objects and bytes as they were at the high-water mark of the row's `peak_number`.
    _Atomic uint64_t peak_objects, peak_bytes;
    /// What of the row was told already; the writer's.
    struct {
        uint64_t followed, objects, bytes, temporary, lifetime, objects_after, bytes_after;
    } told;
} wick_count_side;

/// Running totals, written by their thread only. One cache line.
typedef struct __attribute__((aligned(64))) {
    /// 0: there is none.
    _Atomic uint64_t key;
    _Atomic uint64_t followed;
    /// In 2⁻¹⁶ objects; bytes; objects; ms of objects.
    _Atomic uint64_t objects, bytes, temporary, lifetime;
    /// Number of the high-water mark since which there was a change.
    _Atomic uint64_t peak_number;
    /// NULL after wick_counts_clear.
    _Atomic(wick_count_side *) side;
} wick_count_row;

typedef struct {
    wick_count_row rows[WICK_COUNT_FIRST];
    wick_count_side sides[WICK_COUNT_FIRST];
    /// The further levels, mapped when they are needed: rows, then sides.
    _Atomic(wick_count_row *) further[WICK_COUNT_LEVELS];
    /// The owner's: number of the newest level.
    uint32_t newest;
} wick_counts;

/// node | kind << 20 | owner << 22 | type << 40, never 0.
static inline uint64_t wick_count_key(uint32_t node, wick_allocation_row kind, uint32_t owner,
                                      uint32_t type) {
    return node | (uint64_t)kind << 20 | (uint64_t)owner << 22 | (uint64_t)type << 40 |
           UINT64_C(1) << 63;
}

/// HOOK-SAFE, on the thread that owns the counts: the newest row of a key; NULL if there is no memory for it.
wick_count_row *wick_counts_row(wick_counts *counts, uint64_t key);

/// Calls `visit` for each row. Writer thread only.
void wick_counts_each(wick_counts *counts,
                      void (*visit)(wick_count_row *row, wick_count_side *side, void *context),
                      void *context);

/// Makes all rows as new, and keeps their memory: the thread may be in one.
void wick_counts_clear(wick_counts *counts);

/// Gives the memory of the further levels back. The thread is gone, or hooks are out.
void wick_counts_free(wick_counts *counts);

/// Bytes of further levels, of all threads.
uint64_t wick_counts_byte_count(void);
