// HOOK-SAFE: wick_counts_row. Atomic loads and stores; one mmap whenever a level is full.
#include "allocation_counts.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "raw_syscall.h"

static _Atomic uint64_t further_bytes;

typedef struct {
    wick_count_keys *keys;
    wick_count_row *rows;
    wick_count_told *told;
    uint32_t bucket_count;
} level;

static uint32_t bucket_count_of(uint32_t number) {
    return WICK_COUNT_FIRST << 2 * number;
}

static size_t byte_count_of(uint32_t number) {
    return (size_t)bucket_count_of(number) *
           (sizeof(wick_count_keys) +
            WICK_COUNT_KEYS * (sizeof(wick_count_row) + sizeof(wick_count_told)));
}

/// A level by number; its keys are NULL if it is not there.
static level level_at(wick_counts *counts, uint32_t number) {
    if (number == 0) {
        return (level){counts->keys, counts->rows, counts->told, WICK_COUNT_FIRST};
    }
    uint32_t buckets = bucket_count_of(number);
    // Acquire: for the writer; the owner has stored it itself.
    wick_count_keys *keys = atomic_load_explicit(&counts->further[number], memory_order_acquire);
    wick_count_row *rows = (wick_count_row *)(keys + buckets);
    return (level){keys, rows, (wick_count_told *)(rows + (size_t)buckets * WICK_COUNT_KEYS),
                   buckets};
}

static bool add_level(wick_counts *counts, uint32_t number) {
    // Raw: errno is the host's.
    long pages = wick_raw_syscall6(SYS_mmap, 0, (long)byte_count_of(number), PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages < 0 && pages > -4096) {
        return false;
    }
    atomic_fetch_add_explicit(&further_bytes, byte_count_of(number), memory_order_relaxed);
    atomic_store_explicit(&counts->further[number], (wick_count_keys *)pages, memory_order_release);
    return true;
}

wick_count_row *wick_counts_row(wick_counts *counts, uint64_t key) {
    uint64_t hash = key * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
    for (uint32_t number = 0; number < WICK_COUNT_LEVELS; number++) {
        level at = level_at(counts, number);
        if (!at.keys) {
            if (!add_level(counts, number)) {
                return NULL;
            }
            at = level_at(counts, number);
        }
        uint32_t bucket = (uint32_t)hash & (at.bucket_count - 1);
        for (uint32_t i = 0; i < WICK_COUNT_KEYS; i++) {
            _Atomic uint64_t *place = &at.keys[bucket].keys[i];
            uint64_t found = atomic_load_explicit(place, memory_order_relaxed);
            if (found == 0) {
                // Release: the writer sees a row of zeros, or what was added since.
                atomic_store_explicit(place, key, memory_order_release);
                found = key;
            }
            if (found == key) {
                return &at.rows[bucket * WICK_COUNT_KEYS + i];
            }
        }
    }
    return NULL;
}

void wick_counts_each(wick_counts *counts,
                      void (*visit)(uint64_t key, wick_count_row *row, wick_count_told *told,
                                    void *context),
                      void *context) {
    for (uint32_t number = 0; number < WICK_COUNT_LEVELS; number++) {
        level at = level_at(counts, number);
        for (uint32_t place = 0; at.keys && place < at.bucket_count * WICK_COUNT_KEYS; place++) {
            uint64_t key = atomic_load_explicit(
                &at.keys[place / WICK_COUNT_KEYS].keys[place % WICK_COUNT_KEYS],
                memory_order_acquire);
            if (key) {
                visit(key, &at.rows[place], &at.told[place], context);
            }
        }
    }
}

void wick_counts_clear(wick_counts *counts) {
    for (uint32_t number = 1; number < WICK_COUNT_LEVELS; number++) {
        wick_count_keys *keys = atomic_load_explicit(&counts->further[number], memory_order_relaxed);
        if (keys) {
            // Private pages are zero again when they are next touched.
            madvise(keys, byte_count_of(number), MADV_DONTNEED);
        }
    }
    memset(counts, 0, offsetof(wick_counts, further));
}

void wick_counts_free(wick_counts *counts) {
    for (uint32_t number = 1; number < WICK_COUNT_LEVELS; number++) {
        wick_count_keys *keys =
            atomic_exchange_explicit(&counts->further[number], NULL, memory_order_relaxed);
        if (keys) {
            munmap(keys, byte_count_of(number));
            atomic_fetch_sub_explicit(&further_bytes, byte_count_of(number), memory_order_relaxed);
        }
    }
}

uint64_t wick_counts_byte_count(void) {
    return atomic_load_explicit(&further_bytes, memory_order_relaxed);
}
