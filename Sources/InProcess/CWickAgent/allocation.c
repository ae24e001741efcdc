// HOOK-SAFE where allocation.h says so.
#include "allocation.h"

#include <string.h>
#include <sys/syscall.h>

#include "allocation_odds.h"
#include "allocation_peak.h"
#include "allocation_shared.h"
#include "allocation_stacks.h"
#include "allocation_types.h"
#include "handler.h"
#include "pages.h"
#include "raw_syscall.h"
#include "threads.h"
#include "unwind_again.h"
#include "unwind_memory.h"
#include "writer.h"

enum : uint32_t {
    THREAD_LIMIT = 1u << WICK_LIVE_THREAD_BITS,
};

enum : int64_t {
    /// As good as never.
    FAR_AWAY = INT64_MAX / 2,
    /// The high-water mark is told what a thread allocated or freed when it is this much.
    PEAK_GRAIN = 4096,
};

_Thread_local __attribute__((tls_model("initial-exec"))) wick_allocation_local wick_allocation_mine;
// Mode 0 is that of a thread that was never here.
__attribute__((aligned(64))) wick_allocation_switch wick_allocation_now = {.mode = 1};
__attribute__((aligned(64))) _Atomic uint8_t wick_allocation_filter[1 << WICK_FILTER_BITS];

static _Atomic uint32_t next_thread = 1;

static wick_allocation_shared_state *const shared = &wick_allocation_shared;

static void add(_Atomic uint64_t *to, uint64_t amount) {
    atomic_fetch_add_explicit(to, amount, memory_order_relaxed);
}

/// As `add`, where nobody else writes.
static inline void add_own(_Atomic uint64_t *to, uint64_t amount) {
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

static inline void set_busy(wick_allocation_state *state, bool is_busy) {
    atomic_store_explicit(&state->is_busy, is_busy, memory_order_relaxed);
    // For handlers on this thread.
    atomic_signal_fence(memory_order_seq_cst);
}

// MARK: states

/// The calling thread's state, made on first use; NULL if that cannot be.
static wick_allocation_state *claim(wick_allocation_local *mine) {
    // In a child of another kind of fork the slots are not there.
    if (mine->is_forking || !shared->states || wick_raw_syscall0(SYS_getpid) != shared->owner) {
        return NULL;
    }
    wick_slot *slot = wick_threads_current();
    if (!slot) {
        return NULL;
    }
    wick_allocation_state *state = &shared->states[wick_threads_number(slot)];
    uint32_t thread = atomic_fetch_add_explicit(&next_thread, 1, memory_order_relaxed);
    state->thread = thread < THREAD_LIMIT ? thread : THREAD_LIMIT - 1;
    state->random = (thread + 1) * 0x9e3779b97f4a7c15u ^ (uintptr_t)state ^
                    (uint64_t)(uintptr_t)__builtin_frame_address(0) << 20;
    // Release: the writer sees a whole state.
    atomic_store_explicit(&state->is_live, true, memory_order_release);
    mine->state = state;
    return state;
}

static inline wick_allocation_state *state_of(wick_allocation_local *mine) {
    return mine->state ? mine->state : claim(mine);
}

wick_allocation_state *wick_allocation_state_of(uint32_t slot) {
    // Acquire: pairs with claim.
    wick_allocation_state *state = shared->states ? &shared->states[slot] : NULL;
    return state && atomic_load_explicit(&state->is_live, memory_order_acquire) ? state : NULL;
}

void wick_allocation_release(uint32_t slot) {
    wick_allocation_state *state = &shared->states[slot];
    add(&shared->retired_unknown_frees, atomic_load_explicit(&state->unknown_frees, memory_order_relaxed));
    wick_peak_tell(atomic_load_explicit(&state->untold_bytes, memory_order_relaxed));
    wick_counts_free(&state->counts);
    memset(state, 0, sizeof(*state));
    wick_pages_drop(state, sizeof(*state));
}

// MARK: counting

static inline void add_live(wick_allocation_state *state, int64_t bytes) {
    int64_t untold = atomic_load_explicit(&state->untold_bytes, memory_order_relaxed) + bytes;
    if (untold >= PEAK_GRAIN || untold <= -PEAK_GRAIN) {
        atomic_store_explicit(&state->untold_bytes, 0, memory_order_relaxed);
        wick_peak_tell(untold);
    } else {
        atomic_store_explicit(&state->untold_bytes, untold, memory_order_relaxed);
    }
}

uint64_t wick_allocation_weight(uint64_t size, uint32_t interval) {
    return interval == WICK_INTERVAL_EVERY ? UINT64_C(1) << WICK_COUNT_FRACTION_BITS
                             : wick_odds_weight(size, shared->intervals[interval]);
}

/// Counts that a block is free.
static inline __attribute__((always_inline)) void count_free(wick_allocation_state *state,
                                                             wick_live_block block, uint32_t type,
                                                             bool is_temporary) {
    wick_count_row *row =
        wick_counts_row(&state->counts, wick_count_key(wick_live_node(block), WICK_ROW_FREED,
                                                       wick_live_thread(block), type));
    if (__builtin_expect(!row, 0)) {
        add(&shared->lost_frees, 1);
        return;
    }
    uint64_t weight = UINT64_C(1) << WICK_COUNT_FRACTION_BITS, bytes = wick_live_size(block);
    uint64_t objects = 1;
    if (wick_live_interval(block) != WICK_INTERVAL_EVERY) {
        weight = wick_allocation_weight(bytes, wick_live_interval(block));
        bytes = wick_allocation_bytes(bytes, weight);
        objects = (weight + (1u << (WICK_COUNT_FRACTION_BITS - 1))) >> WICK_COUNT_FRACTION_BITS;
    }
    wick_peak_note(row);
    add_own(&row->followed, 1);
    add_own(&row->objects, weight);
    add_own(&row->bytes, bytes);
    if (is_temporary) {
        add_own(&row->temporary, objects);
    }
    uint32_t now = atomic_load_explicit(&shared->now_ms, memory_order_relaxed);
    if (now > wick_live_time_ms(block)) {
        add_own(&row->lifetime, objects * (now - wick_live_time_ms(block)));
    }
    add_live(state, -(int64_t)bytes);
}

__attribute__((noinline)) static void count_deferred(wick_allocation_state *state) {
    wick_deferred_free free = state->deferred[--state->deferred_count];
    count_free(state, free.block, free.type, free.is_temporary);
}

/// Leaves, and does what came in between.
static inline void leave(wick_allocation_state *state) {
    while (__builtin_expect(state->deferred_count > 0, 0)) {
        count_deferred(state);
    }
    set_busy(state, false);
}

/// Counts a free, on whatever terms the thread is.
static inline __attribute__((always_inline)) void end_block(uintptr_t address,
                                                            wick_live_block block, uint32_t type) {
    wick_allocation_state *state = state_of(&wick_allocation_mine);
    if (!state) {
        add(&shared->lost_frees, 1);
        return;
    }
    bool is_temporary = state->last_address == address;
    if (atomic_load_explicit(&state->is_busy, memory_order_relaxed)) {
        // A signal's handler: whoever it interrupted counts this.
        if (state->deferred_count < WICK_DEFERRED_LIMIT) {
            state->deferred[state->deferred_count++] =
                (wick_deferred_free){block, type, is_temporary};
        } else {
            add(&shared->lost_frees, 1);
        }
        return;
    }
    set_busy(state, true);
    count_free(state, block, type, is_temporary);
    leave(state);
}

static void filter_add(uintptr_t address) {
    _Atomic uint8_t *place = &wick_allocation_filter[wick_filter_place(address)];
    uint8_t count = atomic_load_explicit(place, memory_order_relaxed);
    // A full place stays full.
    while (count < UINT8_MAX && !atomic_compare_exchange_weak_explicit(
                                    place, &count, count + 1, memory_order_relaxed,
                                    memory_order_relaxed)) {
    }
}

static void filter_remove(uintptr_t address) {
    _Atomic uint8_t *place = &wick_allocation_filter[wick_filter_place(address)];
    uint8_t count = atomic_load_explicit(place, memory_order_relaxed);
    while (count > 0 && count < UINT8_MAX &&
           !atomic_compare_exchange_weak_explicit(place, &count, count - 1, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

// MARK: hooks

/// Takes up the mode in force.
static void renew(wick_allocation_local *mine) {
    // Acquire: pairs with the release in set_mode.
    mine->mode = atomic_load_explicit(&wick_allocation_now.mode, memory_order_acquire);
    uint32_t interval = atomic_load_explicit(&shared->interval_now, memory_order_relaxed);
    bool follows = interval != WICK_INTERVAL_LIMIT && !mine->is_own;
    wick_allocation_state *state = follows ? state_of(mine) : NULL;
    mine->follows_all = state && interval == WICK_INTERVAL_EVERY;
    mine->left = !follows ? FAR_AWAY
                 : !state ? -1
                 : interval == WICK_INTERVAL_EVERY
                     ? -1
                     : (int64_t)wick_odds_step(&state->random, shared->intervals[interval]);
}

bool wick_allocation_draws(size_t size) {
    wick_allocation_local *mine = &wick_allocation_mine;
    if (mine->is_forking || mine->depth > 0) {
        mine->has_nested |= mine->depth > 0;
        return false;
    }
    if (mine->mode != atomic_load_explicit(&wick_allocation_now.mode, memory_order_relaxed)) {
        renew(mine);
        if (mine->left >= 0) {
            mine->left = (int64_t)((uint64_t)mine->left - size - 1);
        }
    }
    if (mine->left >= 0) {
        return false;
    }
    uint32_t interval = atomic_load_explicit(&shared->interval_now, memory_order_relaxed);
    if (interval == WICK_INTERVAL_LIMIT || mine->is_own) {
        mine->left = FAR_AWAY;
        return false;
    }
    if (!mine->state) {
        // There is no slot for this thread, which may change; one of those that were meant is lost.
        add(&shared->lost_allocations, 1);
        mine->left = (int64_t)shared->intervals[interval];
        mine->mode = interval == WICK_INTERVAL_EVERY ? 0 : mine->mode;
        return false;
    }
    mine->left = interval == WICK_INTERVAL_EVERY
                     ? -1
                     : (int64_t)wick_odds_step(&mine->state->random, shared->intervals[interval]);
    return true;
}

/// The node of a stack that has changed since the last walk.
__attribute__((noinline)) static uint32_t walk(wick_allocation_state *state,
                                               const wick_registers *registers, uintptr_t high) {
    uint32_t generation = wick_stacks_generation();
    if (state->stacks_generation != generation) {
        state->stacks_generation = generation;
        state->walk.count = 0;
        state->last_key = 0;
    }
    wick_stack_memory memory = {
        .high = high,
        .scratch = wick_handler_windows_allowed() ? state->scratch : NULL,
        .scratch_byte_count = WICK_ALLOCATION_SCRATCH_BYTES,
        .cache = &state->cache};
    if (!high) {
        atomic_store_explicit(&state->seen_sp, registers->sp, memory_order_relaxed);
        // Who finds where the stack ends spares us system calls in every walk.
        wick_writer_hurry();
    }
    wick_unwind_call(registers, &memory, &state->walk);
    return wick_stacks_add(&state->walk, &state->nodes);
}

/// The node of the caller's stack.
static inline __attribute__((always_inline)) uint32_t stack_of(wick_allocation_state *state,
                                                               const wick_registers *registers) {
    uintptr_t low = atomic_load_explicit(&state->stack_low, memory_order_relaxed);
    // Acquire: pairs with the writer's release; low is written before high.
    uintptr_t high = atomic_load_explicit(&state->stack_high, memory_order_acquire);
    high = low <= registers->sp && registers->sp < high ? high : 0;
    if (state->stacks_generation == wick_stacks_generation() &&
        wick_unwind_is_same(registers, high, &state->walk)) {
        return state->walk.frames[state->walk.count - 1].node;
    }
    return walk(state, registers, high);
}

/// Notes a block of a thread that is let in.
static void note(wick_allocation_state *state, uintptr_t address, size_t size, uint32_t interval,
                 const wick_registers *registers) {
    uint32_t node = stack_of(state, registers);
    wick_live_block block = wick_live_block_make(size, state->thread, interval, node,
                                                 atomic_load_explicit(&shared->now_ms, memory_order_relaxed));
    uint64_t key = wick_count_key(node, WICK_ROW_ALLOCATED, state->thread, 0);
    if (key != state->last_key) {
        state->last_row = wick_counts_row(&state->counts, key);
        state->last_key = state->last_row ? key : 0;
    }
    wick_count_row *row = state->last_row;
    wick_live_block before;
    wick_live_result added = row ? wick_live_add(address, block, &before) : WICK_LIVE_NO_MEMORY;
    if (added == WICK_LIVE_NO_MEMORY) {
        add(&shared->lost_allocations, 1);
        return;
    }
    if (added == WICK_LIVE_REPLACED) {
        add(&shared->lost_frees, 1);
        count_free(state, before, 0, false);
    }
    if (interval != WICK_INTERVAL_EVERY &&
        (added == WICK_LIVE_ADDED || wick_live_interval(before) == WICK_INTERVAL_EVERY)) {
        filter_add(address);
    }
    uint64_t weight = UINT64_C(1) << WICK_COUNT_FRACTION_BITS, bytes = wick_live_size(block);
    if (interval != WICK_INTERVAL_EVERY) {
        weight = wick_allocation_weight(bytes, interval);
        bytes = wick_allocation_bytes(bytes, weight);
    }
    wick_peak_note(row);
    add_own(&row->followed, 1);
    add_own(&row->objects, weight);
    add_own(&row->bytes, bytes);
    add_live(state, (int64_t)bytes);
    state->last_address = address;
}

void wick_allocation_note(uintptr_t address, size_t size, const wick_registers *registers) {
    wick_allocation_local *mine = &wick_allocation_mine;
    uint32_t interval = atomic_load_explicit(&shared->interval_now, memory_order_relaxed);
    wick_allocation_state *state = mine->state;
    if (interval == WICK_INTERVAL_LIMIT || !state) {
        return;
    }
    if (atomic_load_explicit(&state->is_busy, memory_order_relaxed)) {
        add(&shared->lost_allocations, 1);
        return;
    }
    set_busy(state, true);
    // The walk takes as long as the memory.
    wick_live_prefetch(address);
    note(state, address, size, interval, registers);
    leave(state);
}

/// Reads what a block begins with. Its first page may be one that nobody may read: a coroutine's stack,
/// whose guard it is.
static inline bool read_word(uintptr_t address, uintptr_t *word) {
    if (__builtin_expect(address % WICK_PAGE_BYTE_COUNT == 0, 0)) {
        return wick_handler_windows_allowed() &&
               wick_copy_memory((uint8_t *)word, address, sizeof(*word)) == sizeof(*word);
    }
    *word = *(const uintptr_t *)address;
    return true;
}

static inline bool take(uintptr_t address, bool has_words, wick_live_block *block,
                        uint32_t *type) {
    if (!wick_live_take(address, block)) {
        wick_allocation_local *mine = &wick_allocation_mine;
        if (mine->state) {
            add_own(&mine->state->unknown_frees, 1);
        }
        return false;
    }
    if (wick_live_interval(*block) != WICK_INTERVAL_EVERY) {
        filter_remove(address);
    }
    uintptr_t word;
    *type = has_words && wick_live_size(*block) >= sizeof(word) && read_word(address, &word)
                ? wick_type_of(word, &wick_stacks_node(wick_live_node(*block))->misses)
                : 0;
    return true;
}

bool wick_allocation_take(uintptr_t address, bool has_words, wick_live_block *block,
                          uint32_t *type) {
    return !wick_free_passes(address) && take(address, has_words, block, type);
}

void wick_allocation_forget(uintptr_t address) {
    wick_live_block block;
    uint32_t type;
    if (take(address, true, &block, &type)) {
        end_block(address, block, type);
    }
}

void wick_allocation_moved(wick_live_block block, uint32_t type) {
    end_block(0, block, type);
}

void wick_allocation_stayed(uintptr_t address, wick_live_block block) {
    wick_live_block before;
    if (wick_live_add(address, block, &before) != WICK_LIVE_ADDED) {
        add(&shared->lost_frees, 1);
    } else if (wick_live_interval(block) != WICK_INTERVAL_EVERY) {
        filter_add(address);
    }
}

void wick_allocation_count_references(bool is_retain, uint32_t count, const void *object,
                                      const wick_registers *registers) {
    wick_allocation_local *mine = &wick_allocation_mine;
    wick_allocation_state *state = mine->is_own ? NULL : state_of(mine);
    if (!state || atomic_load_explicit(&state->is_busy, memory_order_relaxed)) {
        add(&shared->lost_allocations, mine->is_own ? 0 : count);
        return;
    }
    set_busy(state, true);
    uint32_t node = stack_of(state, registers);
    uint32_t type = wick_type_of(*(const uintptr_t *)object, &wick_stacks_node(node)->misses);
    wick_count_row *row = wick_counts_row(
        &state->counts, wick_count_key(node, is_retain ? WICK_ROW_RETAINED : WICK_ROW_RELEASED,
                                       state->thread, type));
    if (row) {
        add_own(&row->followed, count);
    } else {
        add(&shared->lost_allocations, count);
    }
    leave(state);
}
