// Which allocations are followed from when to when, and the writer thread's look at all threads.
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "allocation.h"
#include "allocation_peak.h"
#include "allocation_shared.h"
#include "allocation_stacks.h"
#include "allocation_types.h"
#include "arc_hooks.h"
#include "pages.h"
#include "threads.h"

enum : uint32_t {
    QUIET_LOOKS = 50,
    QUIET_LOOK_NS = 1000000,
};

wick_allocation_shared_state wick_allocation_shared = {.intervals = {1},
                                                       .interval_now = WICK_INTERVAL_LIMIT};
static wick_allocation_shared_state *const shared = &wick_allocation_shared;

static uint32_t interval_count = 1;
/// The latest that was not 0.
static _Atomic uint64_t latest_interval;
static _Atomic bool is_in_use;
static uint64_t arc_lost_before;

/// Lets all threads see a new interval.
static void set_mode(uint32_t interval) {
    atomic_store_explicit(&shared->interval_now, interval, memory_order_relaxed);
    if (interval == WICK_INTERVAL_EVERY) {
        atomic_store_explicit(&wick_allocation_now.looks_up_all, true, memory_order_relaxed);
    }
    // Release: pairs with renew.
    atomic_fetch_add_explicit(&wick_allocation_now.mode, 1, memory_order_release);
}

bool wick_allocation_is_in_use(void) {
    return atomic_load_explicit(&is_in_use, memory_order_relaxed);
}

bool wick_allocation_map(void) {
    if (!shared->states) {
        shared->states = wick_pages_map(wick_threads_limit() * sizeof(wick_allocation_state));
    }
    shared->owner = getpid();
    if (wick_allocation_is_in_use()) {
        return true;  // The writer thread is at work with it all.
    }
    bool is_mapped = shared->states && wick_stacks_map() && wick_live_map() && wick_types_reset();
    atomic_store_explicit(&is_in_use, is_mapped, memory_order_relaxed);
    return is_mapped;
}

int wick_allocation_set_interval(uint64_t bytes) {
    if (bytes == 0) {
        set_mode(WICK_INTERVAL_LIMIT);
        return 0;
    }
    if (!wick_allocation_map()) {
        return ENOMEM;
    }
    uint32_t number = 0;
    while (number < interval_count && shared->intervals[number] != bytes) {
        number++;
    }
    if (number == WICK_INTERVAL_LIMIT) {
        return ENOSPC;
    }
    shared->intervals[number] = bytes;
    atomic_store_explicit(&latest_interval, bytes, memory_order_relaxed);
    interval_count = number < interval_count ? interval_count : number + 1;
    set_mode(number);
    return 0;
}

uint64_t wick_allocation_latest_interval(void) {
    return atomic_load_explicit(&latest_interval, memory_order_relaxed);
}

uint64_t wick_allocation_interval(void) {
    uint32_t number = atomic_load_explicit(&shared->interval_now, memory_order_relaxed);
    return number == WICK_INTERVAL_LIMIT ? 0 : shared->intervals[number];
}

/// Whether no thread is in here.
static bool is_quiet(void) {
    bool is_quiet = true;
    for (uint32_t slot = 0; shared->states && slot < wick_threads_count(); slot++) {
        is_quiet &= !atomic_load_explicit(&shared->states[slot].is_busy, memory_order_acquire);
    }
    return is_quiet;
}

void wick_allocation_end(bool may_wait) {
    set_mode(WICK_INTERVAL_LIMIT);
    atomic_store_explicit(&wick_allocation_now.looks_up_all, false, memory_order_relaxed);
    for (uint32_t place = 0; place < sizeof(wick_allocation_filter); place++) {
        atomic_store_explicit(&wick_allocation_filter[place], 0, memory_order_relaxed);
    }
    for (uint32_t look = 0; may_wait && look < QUIET_LOOKS; look++) {
        if (look > 0 && is_quiet()) {
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = QUIET_LOOK_NS}, NULL);
    }
}

void wick_allocation_reset(void) {
    atomic_store_explicit(&is_in_use, false, memory_order_relaxed);
    // A thread may have been stopped in here all the while, as collectors stop threads: nothing is unmapped
    // under it, and its own walk is its own to forget.
    wick_stacks_clear();
    for (uint32_t slot = 0; shared->states && slot < wick_threads_count(); slot++) {
        wick_allocation_state *state = &shared->states[slot];
        if (atomic_load_explicit(&state->is_live, memory_order_acquire)) {
            wick_counts_clear(&state->counts);
            atomic_store_explicit(&state->untold_bytes, 0, memory_order_relaxed);
            atomic_store_explicit(&state->unknown_frees, 0, memory_order_relaxed);
        }
    }
    wick_live_clear();
    interval_count = 1;
    atomic_store_explicit(&shared->now_ms, 0, memory_order_relaxed);
    atomic_store_explicit(&shared->lost_allocations, 0, memory_order_relaxed);
    arc_lost_before = wick_arc_lost_count();
    atomic_store_explicit(&shared->lost_frees, 0, memory_order_relaxed);
    atomic_store_explicit(&shared->retired_unknown_frees, 0, memory_order_relaxed);
    wick_peak_reset();
}

void wick_allocation_ignore_thread(void) {
    wick_allocation_mine.is_own = true;
}

void wick_allocation_before_fork(void) {
    wick_allocation_mine.is_forking = true;
}

void wick_allocation_after_fork(bool in_child) {
    wick_allocation_mine.is_forking = false;
    if (in_child && shared->states) {
        wick_allocation_end(false);
        wick_allocation_mine.state = NULL;
        // The parent's, of which this process has copies.
        shared->states = NULL;
    }
}

// MARK: writer thread

void wick_allocation_tick(uint32_t ms) {
    atomic_store_explicit(&shared->now_ms, ms, memory_order_relaxed);
}

uint32_t wick_allocation_time(void) {
    return atomic_load_explicit(&shared->now_ms, memory_order_relaxed);
}

void wick_allocation_tell_peak(void) {
    for (uint32_t slot = 0; shared->states && slot < wick_threads_count(); slot++) {
        wick_peak_tell(atomic_exchange_explicit(&shared->states[slot].untold_bytes, 0, memory_order_relaxed));
    }
}

uint64_t wick_allocation_peak(uint64_t *bytes) {
    *bytes = (uint64_t)atomic_load_explicit(&wick_peak_now.most_bytes, memory_order_relaxed);
    return atomic_load_explicit(&wick_peak_now.number, memory_order_relaxed);
}

wick_allocation_totals wick_allocation_lost(void) {
    uint64_t unknown = atomic_load_explicit(&shared->retired_unknown_frees, memory_order_relaxed);
    for (uint32_t slot = 0; shared->states && slot < wick_threads_count(); slot++) {
        unknown += atomic_load_explicit(&shared->states[slot].unknown_frees, memory_order_relaxed);
    }
    return (wick_allocation_totals){
        .lost_allocations = atomic_load_explicit(&shared->lost_allocations, memory_order_relaxed) +
                            wick_arc_lost_count() - arc_lost_before,
        .lost_frees = atomic_load_explicit(&shared->lost_frees, memory_order_relaxed),
        .unknown_frees = unknown,
        .byte_count = wick_stacks_byte_count() + wick_live_byte_count() + wick_counts_byte_count() +
                      wick_types_byte_count()};
}
