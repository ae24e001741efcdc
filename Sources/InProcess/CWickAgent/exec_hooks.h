// Around exec. A tick that falls into the execve call is delivered to the new program, where no
// handler waits for it: a SIGTRAP of ours would kill it. So the agent stands before exec*() and
// closes the recording first; the next program adds its own segment. It also stands before _exit(),
// which runs no destructors.
#pragma once

#include <stdbool.h>

#include "wick_format.h"

/// Closes the recording of this process; true if there was one. What exec and _exit may be called
/// from (a vfork's child, a handler) may call this.
bool wick_agent_close(wick_end_reason reason);

/// The exec failed: goes on in a new segment. Keeps errno.
void wick_agent_resume_after_exec(void);
