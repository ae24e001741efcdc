// HOOK-SAFE but for wick_live_map and wick_live_clear: atomic loads, stores and compare-and-swap; one
// mmap whenever the table has doubled.
#include "allocation_live.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "pages.h"
#include "raw_syscall.h"

enum : uint32_t {
    KEYS = 8,
    SEGMENTS = 20,
    /// Of the first two segments; each next one is as large as all before.
    FIRST_BUCKETS = 1 << 10,
};

/// In place of an address while its value is being written.
enum : uintptr_t { BUSY = 1 };

typedef struct {
    _Atomic uint64_t words[2];
} value;

/// A cache line of keys, and their values beside it.
typedef struct {
    _Atomic uintptr_t keys[KEYS];
    value values[KEYS];
} bucket;

/// Filled in order.
static _Atomic(bucket *) segments[SEGMENTS];
static _Atomic uint32_t segment_count;

static inline uint64_t bucket_count_of(uint32_t number) {
    return number == 0 ? FIRST_BUCKETS : (uint64_t)FIRST_BUCKETS << (number - 1);
}

static size_t byte_count_of(uint32_t number) {
    return bucket_count_of(number) * sizeof(bucket);
}

/// Maps a segment, unless somebody else has by now. False if memory is refused.
static bool add_segment(uint32_t number) {
    bucket *none = NULL;
    if (!atomic_load_explicit(&segments[number], memory_order_relaxed)) {
        // Raw: errno is the host's.
        long pages = wick_raw_syscall6(SYS_mmap, 0, (long)byte_count_of(number),
                                       PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (pages < 0 && pages > -4096) {
            return false;
        }
        if (!atomic_compare_exchange_strong_explicit(&segments[number], &none, (bucket *)pages,
                                                     memory_order_relaxed, memory_order_relaxed)) {
            wick_raw_syscall6(SYS_munmap, pages, (long)byte_count_of(number), 0, 0, 0, 0);
        }
    }
    uint32_t count = number;
    // Release: who sees the count sees the segment. Others may have come further already.
    atomic_compare_exchange_strong_explicit(&segment_count, &count, number + 1,
                                            memory_order_release, memory_order_relaxed);
    return true;
}

bool wick_live_map(void) {
    return atomic_load_explicit(&segment_count, memory_order_relaxed) > 0 || add_segment(0);
}

static uint64_t hash_of(uintptr_t address) {
    uint64_t hash = (address >> 3) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

/// The one of two buckets of a hash in a segment.
static inline bucket *bucket_at(uint32_t number, uint64_t hash, uint32_t choice) {
    bucket *start = atomic_load_explicit(&segments[number], memory_order_relaxed);
    uint64_t mask = ((uint64_t)FIRST_BUCKETS << (number - (number > 0))) - 1;
    return &start[(choice ? hash >> 32 : hash) & mask];
}

static inline void write_value(value *to, wick_live_block block) {
    atomic_store_explicit(&to->words[0], block.size_thread_interval, memory_order_relaxed);
    atomic_store_explicit(&to->words[1], block.node_time, memory_order_relaxed);
}

static inline wick_live_block read_value(const value *from) {
    return (wick_live_block){atomic_load_explicit(&from->words[0], memory_order_relaxed),
                             atomic_load_explicit(&from->words[1], memory_order_relaxed)};
}

/// Adds to one bucket, in its first empty place; false if it is full.
static inline __attribute__((always_inline)) bool add_to(bucket *to, uintptr_t address,
                                                         wick_live_block block,
                                                         wick_live_block *replaced,
                                                         wick_live_result *result) {
    for (uint32_t i = 0; i < KEYS; i++) {
        uintptr_t key = atomic_load_explicit(&to->keys[i], memory_order_relaxed);
        // Relaxed: the value is the owner's alone until the key is stored.
        if (key == 0 &&
            atomic_compare_exchange_strong_explicit(&to->keys[i], &key, BUSY, memory_order_relaxed,
                                                    memory_order_relaxed)) {
            write_value(&to->values[i], block);
            // Release: for wick_live_each. Who frees the block has it from us.
            atomic_store_explicit(&to->keys[i], address, memory_order_release);
            *result = WICK_LIVE_ADDED;
            return true;
        }
        if (__builtin_expect(key == address, 0)) {
            *replaced = read_value(&to->values[i]);
            write_value(&to->values[i], block);
            *result = WICK_LIVE_REPLACED;
            return true;
        }
    }
    return false;
}

void wick_live_prefetch(uintptr_t address) {
    uint32_t count = atomic_load_explicit(&segment_count, memory_order_acquire);
    const bucket *to = bucket_at(count - 1, hash_of(address), 0);
    __builtin_prefetch(to, 1);
    __builtin_prefetch(to->values, 1);
}

/// The way of few: the newest segment's first bucket is full.
__attribute__((noinline)) static wick_live_result add_elsewhere(uintptr_t address, uint64_t hash,
                                                                wick_live_block block,
                                                                wick_live_block *replaced) {
    wick_live_result result = WICK_LIVE_NO_MEMORY;
    for (;;) {
        // Acquire: pairs with add_segment.
        uint32_t count = atomic_load_explicit(&segment_count, memory_order_acquire);
        for (uint32_t number = count; number-- > 0;) {
            if (add_to(bucket_at(number, hash, 0), address, block, replaced, &result) ||
                add_to(bucket_at(number, hash, 1), address, block, replaced, &result)) {
                return result;
            }
        }
        if (count == SEGMENTS || !add_segment(count)) {
            return result;
        }
    }
}

wick_live_result wick_live_add(uintptr_t address, wick_live_block block,
                               wick_live_block *replaced) {
    uint64_t hash = hash_of(address);
    uint32_t newest = atomic_load_explicit(&segment_count, memory_order_acquire) - 1;
    wick_live_result result = WICK_LIVE_NO_MEMORY;
    return add_to(bucket_at(newest, hash, 0), address, block, replaced, &result)
               ? result
               : add_elsewhere(address, hash, block, replaced);
}

/// Takes out of one bucket; false if it is not there.
static inline __attribute__((always_inline)) bool take_from(bucket *from, uintptr_t address,
                                                            wick_live_block *block) {
    for (uint32_t i = 0; i < KEYS; i++) {
        if (atomic_load_explicit(&from->keys[i], memory_order_relaxed) == address) {
            *block = read_value(&from->values[i]);
            // Release: the place is another's once it is seen to be empty.
            atomic_store_explicit(&from->keys[i], 0, memory_order_release);
            return true;
        }
    }
    return false;
}

bool wick_live_take(uintptr_t address, wick_live_block *block) {
    uint64_t hash = hash_of(address);
    // Acquire: pairs with add_segment.
    for (uint32_t number = atomic_load_explicit(&segment_count, memory_order_acquire);
         number-- > 0;) {
        if (take_from(bucket_at(number, hash, 0), address, block) ||
            take_from(bucket_at(number, hash, 1), address, block)) {
            return true;
        }
    }
    return false;
}

void wick_live_each(void (*visit)(uintptr_t address, wick_live_block block, void *context),
                    void *context) {
    uint32_t count = atomic_load_explicit(&segment_count, memory_order_acquire);
    for (uint32_t number = 0; number < count; number++) {
        bucket *start = atomic_load_explicit(&segments[number], memory_order_relaxed);
        for (uint64_t place = 0; place < bucket_count_of(number) * KEYS; place++) {
            bucket *from = &start[place / KEYS];
            _Atomic uintptr_t *key = &from->keys[place % KEYS];
            // Acquire: pairs with the store in add_to.
            uintptr_t address = atomic_load_explicit(key, memory_order_acquire);
            if (address <= BUSY) {
                continue;
            }
            wick_live_block block = read_value(&from->values[place % KEYS]);
            atomic_thread_fence(memory_order_acquire);
            if (atomic_load_explicit(key, memory_order_relaxed) == address) {
                visit(address, block, context);
            }
        }
    }
}

void wick_live_clear(void) {
    uint32_t count = atomic_load_explicit(&segment_count, memory_order_acquire);
    for (uint32_t number = 0; number < count; number++) {
        // Private pages are zero again when they are next touched.
        madvise(atomic_load_explicit(&segments[number], memory_order_relaxed),
                byte_count_of(number), MADV_DONTNEED);
    }
}

uint64_t wick_live_byte_count(void) {
    uint64_t bytes = 0;
    for (uint32_t number = 0; number < atomic_load_explicit(&segment_count, memory_order_relaxed);
         number++) {
        bytes += byte_count_of(number);
    }
    return bytes;
}
