// Which allocations are followed, and what is counted of each: what the hooks call.
//
//   hook ─► passes? ── yes ─► the allocator                       a subtraction and two compares
//            │ no
//            └─► chooses? ─► the allocator ─► note: stack (allocation_stacks.h), row (allocation_counts.h),
//                                             block (allocation_live.h)
//   free ─► passes? ── no ──► forget: block, type (allocation_types.h), row ─► the allocator
//
// A block is chosen with the probability 1 − e^(−(size + 1) / interval), by a count-down in bytes whose
// steps are drawn from the exponential distribution, so that nothing in the program can keep in step with it.
// It then stands for 1 / probability of its kind: sums of these are unbiased. Interval 1 means all.
//
// HOOK-SAFE: takes no lock, calls no malloc, keeps errno. What a signal's handler frees while its
// thread is in here is put off for an instant; what it allocates then is lost, and counted.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "allocation_counts.h"
#include "allocation_live.h"
#include "allocation_stacks.h"
#include "unwind.h"

enum : uint32_t {
    WICK_FILTER_BITS = 16,
    /// Frees of a signal's handler that can wait.
    WICK_DEFERRED_LIMIT = 32,
    WICK_ALLOCATION_SCRATCH_BYTES = 4096,
};

/// A free that is counted later.
typedef struct {
    wick_live_block block;
    uint32_t type;
    bool is_temporary;
} wick_deferred_free;

/// What a thread needs to have its allocations followed. Belongs to the slot of the same number, see
/// threads.h, but unlike that it is there in a fork's child too.
typedef struct {
    /// Read and set by the writer thread.
    _Atomic bool is_live;
    /// Whether the thread is in here.
    _Atomic bool is_busy;
    /// Number of the thread in rows and blocks, from 1: never used again, but when all are used the
    /// last one stands for all further threads.
    uint32_t thread;
    /// Bounds of the thread's own stack, by the writer; and an address in it while they are unknown.
    _Atomic uintptr_t stack_low, stack_high, seen_sp;
    _Atomic uint64_t unknown_frees;
    uint64_t random;
    uintptr_t last_address;
    uint32_t stacks_generation;
    /// What the high-water mark has not been told yet.
    _Atomic int64_t untold_bytes;
    uint32_t deferred_count;
    /// The row that the last allocation was counted in.
    uint64_t last_key;
    wick_count_row *last_row;
    wick_deferred_free deferred[WICK_DEFERRED_LIMIT];
    wick_rule_cache cache;
    uint8_t scratch[WICK_ALLOCATION_SCRATCH_BYTES];
    wick_known_walk walk;
    wick_stack_memory_of_nodes nodes;
    wick_counts counts;
} wick_allocation_state;

/// What is the thread's own. Small: a library that is loaded late has little of this memory.
typedef struct {
    /// Bytes until the next allocation that is chosen.
    int64_t left;
    /// The mode that `left` was drawn for.
    uint32_t mode;
    /// Not to be followed: the agent's own thread; in the middle of a fork; within an allocator that
    /// calls itself.
    uint8_t is_own, is_forking, depth;
    /// Whether the mode is to follow every one.
    uint8_t follows_all;
    /// Whether an allocator has called itself.
    uint8_t has_nested;
    wick_allocation_state *state;
} wick_allocation_local;

extern _Thread_local __attribute__((tls_model("initial-exec"), visibility("hidden")))
wick_allocation_local wick_allocation_mine;

/// What hooks read all the time and hardly anybody writes.
typedef struct {
    /// Changes with every change of the interval.
    _Atomic uint32_t mode;
    /// Whether every free is looked up, as any block may be followed; else the filter says.
    _Atomic bool looks_up_all;
} wick_allocation_switch;

extern __attribute__((visibility("hidden"))) wick_allocation_switch wick_allocation_now;
/// How many of the chosen blocks have an address of this hash; 255: very many.
extern __attribute__((visibility("hidden"))) _Atomic uint8_t wick_allocation_filter[1 << WICK_FILTER_BITS];

/// Blocks that lie side by side have places in one cache line, as they are often in use together.
static inline uint32_t wick_filter_place(uintptr_t address) {
    uint64_t line = (address >> 10) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - WICK_FILTER_BITS);
    return (uint32_t)((line & ~UINT64_C(63)) | (address >> 4 & 63));
}

/// Whether an allocation of this size is none of ours. Counts its bytes.
static inline bool wick_allocation_passes(size_t size) {
    wick_allocation_local *mine = &wick_allocation_mine;
    int64_t left = (int64_t)((uint64_t)mine->left - size - 1);
    mine->left = left;
    return left >= 0 &&
           mine->mode == atomic_load_explicit(&wick_allocation_now.mode, memory_order_relaxed);
}

/// Whether a free is none of ours.
static inline bool wick_free_passes(uintptr_t address) {
    return !atomic_load_explicit(&wick_allocation_now.looks_up_all, memory_order_relaxed) &&
           atomic_load_explicit(&wick_allocation_filter[wick_filter_place(address)],
                                memory_order_relaxed) == 0;
}

/// As wick_allocation_chooses, where it is a matter of chance, or the mode has changed.
bool wick_allocation_draws(size_t size);

/// Whether an allocation that does not pass is to be noted.
static inline bool wick_allocation_chooses(size_t size) {
    wick_allocation_local *mine = &wick_allocation_mine;
    if (mine->follows_all && !mine->is_forking && mine->depth == 0 &&
        mine->mode == atomic_load_explicit(&wick_allocation_now.mode, memory_order_relaxed)) {
        mine->left = -1;
        return true;
    }
    return wick_allocation_draws(size);
}

/// Notes a new block. `registers` are those of the allocating function's caller, as they will be when it
/// returns.
void wick_allocation_note(uintptr_t address, size_t size, const wick_registers *registers);

/// Before a block is given back.
void wick_allocation_forget(uintptr_t address);

/// Before a block may move: takes it out, without counting that. False if it is not followed.
/// `has_words`: it is memory that may be read.
bool wick_allocation_take(uintptr_t address, bool has_words, wick_live_block *block,
                          uint32_t *type);

/// It has moved or was freed: it counts as freed. Or has not, and goes on.
void wick_allocation_moved(wick_live_block block, uint32_t type);
void wick_allocation_stayed(uintptr_t address, wick_live_block block);

/// Notes references to an object that were taken or given up. `registers` as for wick_unwind_call.
void wick_allocation_count_references(bool is_retain, uint32_t count, const void *object,
                                      const wick_registers *registers);

// MARK: for the lifecycle; normal threads

/// Follows from now on by this interval; 0 is no more. The first time maps what is needed: 0 or an errno.
int wick_allocation_set_interval(uint64_t bytes);

/// Whether anything may have been counted since the reset.
bool wick_allocation_is_in_use(void);

/// Prepares for wick_allocation_count_references. False if memory is refused.
bool wick_allocation_map(void);

/// The interval in force; and the latest that was, if none is any more.
uint64_t wick_allocation_interval(void);
uint64_t wick_allocation_latest_interval(void);

/// Follows nothing more, and waits until no thread is in here, but not for long.
void wick_allocation_end(bool may_wait);

/// Forgets all that was counted. Nothing may be followed.
void wick_allocation_reset(void);

/// The calling thread is the agent's: what it allocates is never followed.
void wick_allocation_ignore_thread(void);

/// Around a fork, on the forking thread.
void wick_allocation_before_fork(void);
void wick_allocation_after_fork(bool in_child);

// MARK: for the writer thread

/// The state of a slot; NULL if its thread has none.
wick_allocation_state *wick_allocation_state_of(uint32_t slot);

/// The thread is gone, and its rows are told: a new thread may have the slot.
void wick_allocation_release(uint32_t slot);

/// Tells the time.
void wick_allocation_tick(uint32_t now_ms);

/// The time that was told last.
uint32_t wick_allocation_time(void);

/// Tells the high-water mark what threads have not told it yet.
void wick_allocation_tell_peak(void);

/// Number of the latest high-water mark, and its bytes.
uint64_t wick_allocation_peak(uint64_t *bytes);

typedef struct {
    uint64_t lost_allocations, lost_frees, unknown_frees, byte_count;
} wick_allocation_totals;

wick_allocation_totals wick_allocation_lost(void);

/// What a block of this size and interval stands for: 2⁻¹⁶ objects; and bytes, by that.
uint64_t wick_allocation_weight(uint64_t size, uint32_t interval);

static inline uint64_t wick_allocation_bytes(uint64_t size, uint64_t weight) {
    return (uint64_t)((unsigned __int128)size * weight >> WICK_COUNT_FRACTION_BITS);
}
