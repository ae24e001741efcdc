// From what threads count (allocation.h) to the recording: what the writer thread does at each drain about
// allocations. Writer thread only, but for wick_allocations_begin, which runs while that thread waits.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wick_format.h"

/// A new recording.
void wick_allocations_begin(void);

/// Looks after threads, new stacks and types, and tells now and then what was counted.
void wick_allocations_drain(uint64_t elapsed_ms);

/// Tells all that was counted until now.
void wick_allocations_tell(uint64_t elapsed_ms);

/// The thread of a slot is gone, and all of it told.
void wick_allocations_let_go(uint32_t slot);

/// The last moment of the hooks: what is live is looked at.
void wick_allocations_look(void);

/// Hooks are out: everything is told, and what is live listed.
void wick_allocations_write_last(uint64_t elapsed_ms);

/// What a stack or a thread of a row is in the recording.
uint32_t wick_allocations_node(uint32_t number);
uint64_t wick_allocations_thread(uint32_t thread);

/// Modules went: addresses mean something else.
void wick_allocations_forget_addresses(void);

/// Calls `add` for each statistic.
void wick_allocations_stats(void (*add)(wick_stat key, uint64_t value));
