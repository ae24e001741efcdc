// What is live at the end of a recording, with its types: the blocks of allocation_live.h, added up by stack,
// thread, type and age. Writer thread only, while the program goes on.
#pragma once

#include <stdint.h>

#include "encoder.h"

/// Finds the types of what is live while hooks are still at work. When they are out, a busy program has
/// freed much of it, and nobody knows.
void wick_snapshot_look(void);

/// Adds up all blocks; the types are those of the look, or of what the blocks begin with now.
void wick_snapshot_take(void);

/// Writes LIVE chunks, by way of an empty buffer. Types have been resolved since.
void wick_snapshot_write(wick_buffer *buffer, uint64_t elapsed_ms);
