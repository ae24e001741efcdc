// Allocations in the life of a recording: what is hooked when it starts, and unhooked when it ends.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wick_agent.h"

/// How allocations and references are followed, as shown to people; empty if they are not.
typedef struct {
    char allocations[96], references[96];
} wick_allocation_words;

/// Puts the hooks in place and begins to follow what the options ask for. What cannot be followed is said
/// in the words. 0 or an errno. Under the lifecycle's lock, before the writer thread runs.
int wick_allocations_start(const wick_options *options, wick_allocation_words *words);

/// Takes back what `start` did for a recording that could not begin; or for one that ends. On the way
/// out of the process nothing is waited for, and hooks stay, which pass everything on.
void wick_allocations_stop(bool is_leaving);

/// Changes the interval. 0 or an errno; ECANCELED: the recording is ending. Under the lifecycle's lock.
int wick_allocations_switch(uint64_t interval);

#ifdef WICK_INTERPOSE
/// Follows allocations before any constructor runs; a recording that starts with the same interval has them.
void wick_allocations_start_early(const wick_options *options);
#endif
