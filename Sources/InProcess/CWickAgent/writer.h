// The agent's one thread: empties the rings, numbers what it finds and appends it to the recording.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "allocation_session.h"
#include "engine.h"

/// A recording from start to stop.
typedef struct {
    const wick_engine_type *engine;
    wick_engine_setup setup;
    uint32_t rate_hz;
    /// 0: until stopped.
    uint64_t duration_ms;
    /// Whether the agent was brought in from outside: it does not stand before exec, which the
    /// process's timer survives, to kill the next program.
    bool is_guest;
    wick_allocation_words words;
    /// Why a better engine is not used; empty if there is none.
    char fallback[192];
} wick_session;

/// Starts the thread, which fills the module list and then waits. 0 or an errno; on success
/// `*tid` is the thread to leave unsampled.
int wick_writer_create(pid_t *tid);

/// Writes the header and what is known, lets samples in and the thread run. The engine is armed.
/// 0 or an errno; then the thread ends.
int wick_writer_run(const wick_session *session);

/// Ends the thread of a session that could not be started.
void wick_writer_cancel(void);

/// Disarms, writes everything and closes the recording. Waits for the thread, at most 5 s.
void wick_writer_stop(wick_end_reason reason);

/// Whether the thread is recording.
bool wick_writer_is_running(void);

/// SIGNAL-SAFE: one system call that does not block, at most once between two drains. Asks for a
/// drain now, as a walk lacked what the writer finds out: where a stack ends, what a module has.
void wick_writer_hurry(void);

/// Called on a new thread before its own code.
void wick_writer_thread_began(void);

/// In a fork's child, where the thread does not exist: forgets it all.
void wick_writer_forget(void);
