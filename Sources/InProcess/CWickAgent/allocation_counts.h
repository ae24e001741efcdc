// What each thread counts: one row of running totals for each (stack, kind, owner, type). A thread
// writes only its own rows; the writer thread reads them all and tells what was added.
//
//   keys   [ 8 keys │ 8 keys │ … ]   rows [ 8 rows │ … ]   told [ 8 │ … ]    level 0 in the thread's page,
//                                                                           each next one 4 times larger
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "wick_format.h"

enum : uint32_t {
    WICK_COUNT_KEYS = 8,
    WICK_COUNT_LEVELS = 6,
    /// Buckets of the first level.
    WICK_COUNT_FIRST = 64,
    /// Objects are counted in parts, as one that was chosen stands for a fraction of others too.
    WICK_COUNT_FRACTION_BITS = 16,
};

/// Running totals, written by their thread only. One cache line.
typedef struct __attribute__((aligned(64))) {
    _Atomic uint64_t followed;
    /// In 2⁻¹⁶ objects; bytes; objects; ms of objects.
    _Atomic uint64_t objects, bytes, temporary, lifetime;
    /// Objects and bytes as they were at the high-water mark of this number, if there was none since.
    _Atomic uint64_t peak_number, peak_objects, peak_bytes;
} wick_count_row;

/// What of a row was told already; the writer's.
typedef struct {
    uint64_t followed, objects, bytes, temporary, lifetime, objects_after, bytes_after;
} wick_count_told;

typedef struct __attribute__((aligned(64))) {
    _Atomic uint64_t keys[WICK_COUNT_KEYS];
} wick_count_keys;

typedef struct {
    wick_count_keys keys[WICK_COUNT_FIRST];
    wick_count_row rows[WICK_COUNT_FIRST * WICK_COUNT_KEYS];
    wick_count_told told[WICK_COUNT_FIRST * WICK_COUNT_KEYS];
    /// The further levels, mapped when they are needed.
    _Atomic(wick_count_keys *) further[WICK_COUNT_LEVELS];
} wick_counts;

/// node | kind << 20 | owner << 22 | type << 40, never 0.
static inline uint64_t wick_count_key(uint32_t node, wick_allocation_row kind, uint32_t owner,
                                      uint32_t type) {
    return node | (uint64_t)kind << 20 | (uint64_t)owner << 22 | (uint64_t)type << 40 |
           UINT64_C(1) << 63;
}

/// HOOK-SAFE, on the thread that owns the counts: the row of a key; NULL if there is no memory for it.
wick_count_row *wick_counts_row(wick_counts *counts, uint64_t key);

/// Calls `visit` for each row. Writer thread only.
void wick_counts_each(wick_counts *counts,
                      void (*visit)(uint64_t key, wick_count_row *row, wick_count_told *told,
                                    void *context),
                      void *context);

/// Makes all rows as new, and keeps their memory: the thread may be in one.
void wick_counts_clear(wick_counts *counts);

/// Gives the memory of the further levels back. The thread is gone, or hooks are out.
void wick_counts_free(wick_counts *counts);

/// Bytes of further levels, of all threads.
uint64_t wick_counts_byte_count(void);
