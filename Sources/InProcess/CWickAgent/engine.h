// The triggers. An engine arms every thread of the process and disarms them again; what happens at
// a tick is the handler's business.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "wick_format.h"

/// The number of the next recording, or of the next engine in it. All numbers have the top bit and
/// are not 0, so that a cookie is told from whatever a host gives its own timers and events.
static inline uint32_t wick_next_generation(uint32_t generation) {
    return (generation + 2) | 0x80000001u;
}

/// What an engine needs to know.
typedef struct {
    uint32_t generation;
    uint64_t period_ns;
    /// The agent's own thread, which is never sampled.
    pid_t writer_tid;
} wick_engine_setup;

/// One way to be called at every period of a thread's CPU time.
typedef struct {
    wick_engine identity;
    /// As shown to people.
    const char *name;
    int signal_number;
    /// Whether it works here: 0, or the errno of the first step that fails.
    int (*probe)(void);
    /// Arms all threads but the agent's; 0 or an errno, then nothing is left armed.
    int (*start)(const wick_engine_setup *setup);
    /// Called on a new thread before its own code; NULL if threads are covered by themselves.
    void (*thread_began)(void);
    /// Arms threads that came since, if they are not covered by themselves, and looks whether the
    /// engine still works: 0, or the errno for which the next one must take over.
    int (*rescan)(void);
    /// Disarms. Signals already on their way may still arrive.
    void (*stop)(void);
    /// In a fork's child: closes what was inherited.
    void (*after_fork)(void);
    /// Threads that exist and could not be armed; NULL if there can be none.
    uint64_t (*unarmed)(void);
} wick_engine_type;

extern const wick_engine_type wick_engine_perf;
extern const wick_engine_type wick_engine_perf_signal;
extern const wick_engine_type wick_engine_timer;
extern const wick_engine_type wick_engine_process;
