// HOOK-SAFE: wick_counts_row. Atomic loads and stores; one mmap whenever a level is full.
#include "allocation_counts.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "raw_syscall.h"

static _Atomic uint64_t further_bytes;

/// In how many places, one after another, a row may be.
enum : uint32_t { PLACES = 32 };

typedef struct {
    wick_count_row *rows;
    wick_count_side *sides;
    uint32_t row_count;
} level;

static inline uint32_t row_count_of(uint32_t number) {
    return WICK_COUNT_FIRST << 2 * number;
}

static size_t byte_count_of(uint32_t number) {
    return (size_t)row_count_of(number) * (sizeof(wick_count_row) + sizeof(wick_count_side));
}

/// A level by number; its rows are NULL if it is not there.
static inline level level_at(wick_counts *counts, uint32_t number) {
    if (number == 0) {
        return (level){counts->rows, counts->sides, WICK_COUNT_FIRST};
    }
    uint32_t row_count = row_count_of(number);
    // Acquire: for the writer; the owner has stored it itself.
    wick_count_row *rows = atomic_load_explicit(&counts->further[number], memory_order_acquire);
    return (level){rows, (wick_count_side *)(rows + row_count), row_count};
}

static bool add_level(wick_counts *counts) {
    uint32_t number = counts->newest + 1;
    if (number == WICK_COUNT_LEVELS) {
        return false;
    }
    // Raw: errno is the host's.
    long pages = wick_raw_syscall6(SYS_mmap, 0, (long)byte_count_of(number), PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages < 0 && pages > -4096) {
        return false;
    }
    atomic_fetch_add_explicit(&further_bytes, byte_count_of(number), memory_order_relaxed);
    atomic_store_explicit(&counts->further[number], (wick_count_row *)pages, memory_order_release);
    counts->newest = number;
    return true;
}

static inline uint64_t hash_of(uint64_t key) {
    uint64_t hash = key * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

/// The row of a key in a level; else an empty one where it could be; NULL if that is not there either.
static inline wick_count_row *look(level at, uint64_t key) {
    uint64_t hash = hash_of(key);
    for (uint32_t i = 0; i < PLACES; i++) {
        wick_count_row *row = &at.rows[(hash + i) & (at.row_count - 1)];
        uint64_t found = atomic_load_explicit(&row->key, memory_order_relaxed);
        if (found == key || found == 0) {
            return row;
        }
    }
    return NULL;
}

__attribute__((noinline)) static wick_count_row *make(wick_counts *counts, uint64_t key) {
    for (;;) {
        level at = level_at(counts, counts->newest);
        wick_count_row *row = look(at, key);
        if (row) {
            atomic_store_explicit(&row->side, &at.sides[row - at.rows], memory_order_relaxed);
            // Release: the writer sees a row of zeros, or what was added since.
            atomic_store_explicit(&row->key, key, memory_order_release);
            return row;
        }
        if (!add_level(counts)) {
            return NULL;
        }
    }
}

wick_count_row *wick_counts_row(wick_counts *counts, uint64_t key) {
    wick_count_row *row = look(level_at(counts, counts->newest), key);
    return row && atomic_load_explicit(&row->key, memory_order_relaxed) == key ? row
                                                                                : make(counts, key);
}

void wick_counts_each(wick_counts *counts,
                      void (*visit)(wick_count_row *row, wick_count_side *side, void *context),
                      void *context) {
    for (uint32_t number = 0; number < WICK_COUNT_LEVELS; number++) {
        level at = level_at(counts, number);
        for (uint32_t place = 0; at.rows && place < at.row_count; place++) {
            // Acquire: pairs with the release in find_or_make.
            if (atomic_load_explicit(&at.rows[place].key, memory_order_acquire)) {
                visit(&at.rows[place], &at.sides[place], context);
            }
        }
    }
}

void wick_counts_clear(wick_counts *counts) {
    for (uint32_t number = 1; number < WICK_COUNT_LEVELS; number++) {
        wick_count_row *rows = atomic_load_explicit(&counts->further[number], memory_order_relaxed);
        if (rows) {
            // Private pages are zero again when they are next touched.
            madvise(rows, byte_count_of(number), MADV_DONTNEED);
        }
    }
    memset(counts, 0, offsetof(wick_counts, further));
}

void wick_counts_free(wick_counts *counts) {
    for (uint32_t number = 1; number < WICK_COUNT_LEVELS; number++) {
        wick_count_row *rows =
            atomic_exchange_explicit(&counts->further[number], NULL, memory_order_relaxed);
        if (rows) {
            munmap(rows, byte_count_of(number));
            atomic_fetch_sub_explicit(&further_bytes, byte_count_of(number), memory_order_relaxed);
        }
    }
    counts->newest = 0;
}

uint64_t wick_counts_byte_count(void) {
    return atomic_load_explicit(&further_bytes, memory_order_relaxed);
}
