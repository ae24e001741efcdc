// Around exec. A tick that falls into the execve call is delivered to the new program, where no
// handler waits for it: a SIGTRAP of ours would kill it. So the preloaded agent stands before
// exec*() and closes the recording first; the next program adds its own segment.
#pragma once

#include <stdbool.h>

/// Closes the recording of this process; true if there was one. What exec may be called from (a
/// vfork's child, a handler) may call this.
bool wick_agent_pause_for_exec(void);

/// The exec failed: goes on in a new segment. Keeps errno.
void wick_agent_resume_after_exec(void);
