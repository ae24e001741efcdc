#include "allocation_session.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "allocation.h"
#include "arc_hooks.h"
#include "images.h"
#include "malloc_hooks.h"
#include "mapping_hooks.h"
#include "threads.h"

/// Whether hooks may be put in place: from the start to the stop, which the writer thread may do while
/// another switches. Taken for changes of the hooks.
enum { CLOSED, OPEN, AT_WORK };
static _Atomic uint32_t door = CLOSED;

enum : uint32_t { DOOR_LOOKS = 1000, DOOR_LOOK_NS = 1000000 };

/// Whether allocations are followed since before the recording was started.
static bool is_early;

/// Of the address space that a process may have: less would be taken away from the program.
enum : uint64_t { SPACE_MINIMUM_BYTES = 256 << 20 };

static bool has_space(void) {
    struct rlimit space;
    return getrlimit(RLIMIT_AS, &space) != 0 || space.rlim_cur >= SPACE_MINIMUM_BYTES;
}

static const char *words_of(wick_arc_state state) {
    switch (state) {
    case WICK_ARC_ON: return "counted";
    case WICK_ARC_NO_RUNTIME: return "not counted: no Swift runtime, or its symbols are stripped";
    case WICK_ARC_UNKNOWN_RUNTIME: return "not counted: this Swift runtime is not known";
    case WICK_ARC_TRIAL_FAILED: return "not counted: this Swift runtime failed the trial";
    case WICK_ARC_UNSUPPORTED: return "not counted: not on this architecture";
    }
    return "not counted";
}

static void say_interval(uint64_t interval, wick_allocation_words *words) {
    if (interval == WICK_ALLOCATION_EVERY) {
        snprintf(words->allocations, sizeof(words->allocations), "every one");
    } else {
        snprintf(words->allocations, sizeof(words->allocations), "one in %llu bytes",
                 (unsigned long long)interval);
    }
}

int wick_allocations_start(const wick_options *options, wick_allocation_words *words) {
    *words = (wick_allocation_words){0};
    uint64_t interval = options->allocation_interval;
    if (is_early && interval != wick_allocation_interval()) {
        wick_allocations_stop(false);
    }
    bool was_early = is_early;
    is_early = false;
    if ((interval != 0 || options->counts_references) && !has_space()) {
        return ENOMEM;
    }
    // Relaxed: who switches has the lifecycle's lock, as we have.
    atomic_store_explicit(&door, OPEN, memory_order_relaxed);
    if (!was_early) {
        wick_allocation_reset();
    }
    if (options->counts_references) {
        // What the loader allocates for our questions is none of the program's.
        wick_allocation_mine.depth++;
        wick_arc_state state = wick_allocation_map() ? wick_arc_begin(wick_allocation_count_references)
                                                     : WICK_ARC_TRIAL_FAILED;
        wick_allocation_mine.depth--;
        snprintf(words->references, sizeof(words->references), "%s", words_of(state));
    }
    if (interval == 0) {
        return 0;
    }
    if (!wick_malloc_hook()) {
        snprintf(words->allocations, sizeof(words->allocations),
                 "none: a static program's cannot be seen");
        return 0;
    }
    if (options->follows_mappings) {
        wick_mapping_hook();
    }
    say_interval(interval, words);
    return was_early ? 0 : wick_allocation_set_interval(interval);
}

/// Waits until nobody is at work on the hooks, but not for ever: in a fork's child nobody may be there.
static void close_door(void) {
    for (uint32_t look = 0; look < DOOR_LOOKS; look++) {
        uint32_t state = OPEN;
        // Acquire: pairs with the release in wick_allocations_switch.
        if (atomic_compare_exchange_strong_explicit(&door, &state, CLOSED, memory_order_acquire,
                                                    memory_order_relaxed) ||
            state == CLOSED) {
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = DOOR_LOOK_NS}, NULL);
    }
}

void wick_allocations_stop(bool is_leaving) {
    close_door();
    wick_arc_end();
    wick_allocation_end(!is_leaving);
    // Who leaves by exec may come back.
    if (!is_leaving) {
        wick_malloc_unhook();
        wick_mapping_unhook();
    }
    is_early = false;
}

int wick_allocations_switch(uint64_t interval) {
    uint32_t state = OPEN;
    if (!atomic_compare_exchange_strong_explicit(&door, &state, AT_WORK, memory_order_acquire,
                                                 memory_order_relaxed)) {
        return ECANCELED;
    }
    int error = interval == 0        ? wick_allocation_set_interval(0)
                : !has_space()       ? ENOMEM
                : wick_malloc_hook() ? wick_allocation_set_interval(interval)
                                     : ENOTSUP;
    // Release: pairs with close_door.
    atomic_store_explicit(&door, OPEN, memory_order_release);
    return error;
}

#ifdef WICK_INTERPOSE
void wick_allocations_start_early(const wick_options *options) {
    uint32_t rate = options->rate_hz ? options->rate_hz : WICK_RATE_DEFAULT_HZ;
    if (options->allocation_interval != 0 && has_space() && wick_threads_map(rate)) {
        wick_images_refresh();
        is_early = wick_allocation_set_interval(options->allocation_interval) == 0;
    }
}
#endif
