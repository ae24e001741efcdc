// What the control socket asks of the lifecycle.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wick_agent.h"

/// A recording under way.
typedef struct {
    bool is_recording;
    /// Whether it goes to sockets; else to a file.
    bool is_streamed;
    uint32_t rate_hz;
    const char *engine;
    /// As in `wick_options`.
    uint64_t allocation_interval;
    uint64_t elapsed_ms, samples, lost, threads;
} wick_status;

/// Starts a recording that goes to sockets, as `wick_stream_open` has them.
wick_result wick_agent_record(const wick_options *options, const int *sockets,
                              const char *const *greetings, size_t count);

/// Stops what is recorded, for a client.
wick_result wick_agent_stop(void);

/// Whether this library came when the program ran already.
bool wick_agent_is_guest(void);

#ifdef WICK_INTERPOSE
/// Follows allocations from now on if WICK asks for it: called when the first memory is allocated.
void wick_agent_begin_early(void);
#endif

/// What is recorded; the numbers are those of a moment ago.
wick_status wick_agent_status(void);
