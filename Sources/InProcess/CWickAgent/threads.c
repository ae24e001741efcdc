// SIGNAL-SAFE: wick_threads_current calls only the raw gettid syscall, which never blocks.
#include "threads.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pages.h"
#include "raw_syscall.h"

enum : uint32_t {
    SLOT_LIMIT = 16384,
    SLOT_MINIMUM = 64,
    SLOT_HEADER_BYTES = 4096,
    /// What part of the address space that a process may have (RLIMIT_AS) slots take at most.
    SPACE_PART = 32,
};

_Static_assert(sizeof(wick_slot) <= SLOT_HEADER_BYTES, "a slot's header is one page");

static uint8_t *region;
static size_t slot_byte_count;
static uint32_t slot_limit;
static uint64_t ring_words;
/// One bit per free slot. Claimed by handlers, given back by the writer.
static _Atomic uint64_t free_slots[SLOT_LIMIT / 64];
/// One more than the highest slot ever claimed.
static _Atomic uint32_t high_water;

/// Initial-exec: the first access must not allocate, as it happens in a handler.
static _Thread_local __attribute__((tls_model("initial-exec"))) wick_slot *current;

wick_slot *wick_threads_slot(uint32_t number) {
    return (wick_slot *)(region + (size_t)number * slot_byte_count);
}

uint32_t wick_threads_limit(void) {
    return slot_limit;
}

uint32_t wick_threads_number(const wick_slot *slot) {
    return (uint32_t)(((const uint8_t *)slot - region) / slot_byte_count);
}

bool wick_threads_map(uint32_t rate_hz) {
    if (region) {
        return true;
    }
    // 200 ms of the deepest stacks at low rates, of stacks of about 120 frames at high ones.
    ring_words = 8192;
    while (ring_words < (uint64_t)rate_hz / 5 * 128) {
        ring_words *= 2;
    }
    slot_byte_count = SLOT_HEADER_BYTES + ring_words * 8 + WICK_WALK_BYTES;
    struct rlimit space;
    size_t most = getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY
                      ? space.rlim_cur / SPACE_PART
                      : SIZE_MAX;
    slot_limit = SLOT_LIMIT;
    while (slot_limit > SLOT_MINIMUM && slot_limit * slot_byte_count > most) {
        slot_limit /= 2;
    }
    for (; slot_limit >= SLOT_MINIMUM; slot_limit /= 2) {
        region = wick_pages_map(slot_limit * slot_byte_count);
        if (region) {
            break;
        }
    }
    if (!region) {
        return false;
    }
    // Neither a fork's child nor a core file has a use for the rings.
    madvise(region, slot_limit * slot_byte_count, MADV_DONTFORK);
    madvise(region, slot_limit * slot_byte_count, MADV_DONTDUMP);
    for (uint32_t i = 0; i < slot_limit / 64; i++) {
        atomic_store_explicit(&free_slots[i], UINT64_MAX, memory_order_relaxed);
    }
    return true;
}

void wick_threads_forget(void) {
    region = NULL;
    current = NULL;
    atomic_store_explicit(&high_water, 0, memory_order_relaxed);
}

uint64_t wick_threads_ring_words(void) {
    return ring_words;
}

uint32_t wick_threads_count(void) {
    // Acquire: pairs with the release in claim, so that the slot's fields are seen.
    return atomic_load_explicit(&high_water, memory_order_acquire);
}

static wick_slot *claim(void) {
    for (uint32_t word = 0; word < slot_limit / 64; word++) {
        uint64_t bits = atomic_load_explicit(&free_slots[word], memory_order_relaxed);
        while (bits) {
            uint32_t bit = (uint32_t)__builtin_ctzll(bits);
            // Acquire: pairs with the release in wick_threads_release, whose stores precede us.
            if (!atomic_compare_exchange_weak_explicit(
                    &free_slots[word], &bits, bits & ~(1ull << bit), memory_order_acquire,
                    memory_order_relaxed)) {
                continue;
            }
            uint32_t number = word * 64 + bit;
            wick_slot *slot = wick_threads_slot(number);
            slot->tid = (pid_t)wick_raw_syscall0(SYS_gettid);
            slot->thread_pointer = (uintptr_t)__builtin_thread_pointer();
            atomic_store_explicit(&slot->seen_sp, 0, memory_order_relaxed);
            slot->cookie = 0;
            slot->ring = (uint64_t *)((uint8_t *)slot + SLOT_HEADER_BYTES);
            slot->rule_cache = (wick_rule_cache *)(slot->ring + ring_words);
            slot->scratch = (uint8_t *)(slot->rule_cache + 1);
            atomic_store_explicit(&slot->stack_low, 0, memory_order_relaxed);
            atomic_store_explicit(&slot->stack_high, 0, memory_order_relaxed);
            slot->thread_index = -1;
            // Release: pairs with the writer's acquire of the state and of the high-water mark.
            atomic_store_explicit(&slot->state, WICK_SLOT_LIVE, memory_order_release);
            uint32_t mark = atomic_load_explicit(&high_water, memory_order_relaxed);
            while (mark < number + 1 &&
                   !atomic_compare_exchange_weak_explicit(&high_water, &mark, number + 1,
                                                          memory_order_release,
                                                          memory_order_relaxed)) {
            }
            return slot;
        }
    }
    return NULL;
}

wick_slot *wick_threads_current(void) {
    if (!current) {
        current = claim();
    }
    return current;
}

void wick_threads_release(uint32_t number) {
    wick_slot *slot = wick_threads_slot(number);
    atomic_store_explicit(&slot->state, WICK_SLOT_FREE, memory_order_relaxed);
    // The thread is gone, so nobody writes: give the ring's memory back.
    madvise(slot->ring, ring_words * 8 + WICK_WALK_BYTES, MADV_DONTNEED);
    atomic_store_explicit(&slot->read, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->written, 0, memory_order_relaxed);
    // Release: pairs with the acquire in claim.
    atomic_fetch_or_explicit(&free_slots[number / 64], 1ull << (number % 64),
                             memory_order_release);
}

void wick_threads_reset(void) {
    for (uint32_t number = 0; number < wick_threads_count(); number++) {
        wick_slot *slot = wick_threads_slot(number);
        atomic_store_explicit(&slot->read,
                              atomic_load_explicit(&slot->written, memory_order_acquire),
                              memory_order_relaxed);
        atomic_store_explicit(&slot->lost_ring_full, 0, memory_order_relaxed);
        slot->thread_index = -1;
        slot->last_time = 0;
        slot->cookie = 0;
    }
}
