// The threads that block the engine's signal, so that no tick reaches them: found and listed, never
// waited for. Writer thread only.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "encoder.h"

/// Forgets all, for a new recording.
void wick_blocked_reset(void);

/// Looks at the masks of the threads, of some in turn if there are very many, or of all.
void wick_blocked_look(int signal_number, pid_t writer_tid, bool all);

/// Takes a thread off the list: it has been sampled since the last look, so what was seen was a mask
/// of a moment.
void wick_blocked_forget(pid_t tid);

/// Appends the threads found so far that are still there, as WICK_CHUNK_BLOCKED has them.
void wick_blocked_write(wick_buffer *buffer);
