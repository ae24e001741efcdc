// The threads that an engine has armed one by one, and what each was armed with: a descriptor or a
// kernel timer. One table for the engine that is in use; filled by the writer's scans of
// /proc/self/task and by new threads themselves.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine.h"

/// How an engine arms one thread.
typedef struct {
    /// Arms a thread that is not armed yet and gives what `disarm` needs, ≥ 0. `is_new`: the thread
    /// began after the engine was started, so its whole CPU time counts. 0 or an errno; ESRCH if the
    /// thread is gone.
    int (*arm)(pid_t tid, uint64_t cookie, bool is_new, int *handle);
    void (*disarm)(int handle);
    /// In a fork's child: closes an inherited handle, which the parent goes on to use; NULL if none
    /// is inherited.
    void (*forget)(int handle);
} wick_thread_trigger;

/// Arms all threads but the agent's, in scans until one finds nothing new. 0 or an errno, then
/// nothing is left armed.
int wick_armed_start(const wick_engine_setup *setup, const wick_thread_trigger *trigger);

/// Arms what came since and disarms what is gone. 0, or the errno of a thread that could not be
/// armed. Writer thread only.
int wick_armed_rescan(void);

/// Called by a new thread: armed from its first instruction, without waiting for a scan.
void wick_armed_thread_began(void);

/// Disarms all.
void wick_armed_stop(void);

/// In a fork's child: nothing is armed there.
void wick_armed_forget(void);

/// Threads that were there at the latest scan and could not be armed.
uint64_t wick_armed_missing(void);
