// What is live at the end of a recording, with its types: the blocks of allocation_live.h, added up by stack,
// thread, type and age. Writer thread only; hooks are out, but the program goes on.
#pragma once

#include <stdint.h>

#include "encoder.h"

/// Looks at all blocks, and what they begin with.
void wick_snapshot_take(void);

/// Writes LIVE chunks, by way of an empty buffer. Types have been resolved since.
void wick_snapshot_write(wick_buffer *buffer, uint64_t elapsed_ms);
