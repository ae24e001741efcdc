// Retains and releases of Swift objects, counted by the runtime's own function pointers.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "unwind.h"

/// Why ARC traffic cannot be counted in this process; all are found before anything is changed.
typedef enum : uint8_t {
    WICK_ARC_ON,
    /// No Swift runtime is loaded, or its symbols are stripped.
    WICK_ARC_NO_RUNTIME,
    /// The runtime is not one whose way of calling the hooks is known.
    WICK_ARC_UNKNOWN_RUNTIME,
    /// The trial in a child process went wrong.
    WICK_ARC_TRIAL_FAILED,
    /// Not on this architecture.
    WICK_ARC_UNSUPPORTED,
} wick_arc_state;

/// Called for each reference taken or given up, on the thread that does it, in the middle of
/// anything: HOOK-SAFE. `registers` are those of the caller of swift_retain or swift_release, pc its
/// return address.
typedef void wick_arc_observer(bool is_retain, uint32_t count, const void *object,
                               const wick_registers *registers);

/// Puts the hooks in place and begins. Normal threads only, never a hook.
wick_arc_state wick_arc_begin(wick_arc_observer *observer);

/// Stops calling the observer; guards that the runtime needs stay.
void wick_arc_end(void);
