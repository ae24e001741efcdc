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

/// Called for each reference that is taken (after swift_tryRetain: was taken) or is about to be
/// given up, on the thread that does it, in the middle of anything: HOOK-SAFE. `object` is one, and
/// lives. `registers` are those of the caller of swift_retain or swift_release as it is returned
/// to, pc its return address.
typedef void wick_arc_observer(bool is_retain, uint32_t count, const void *object,
                               const wick_registers *registers);

/// Puts the hooks in place and begins; the first time that it can it costs a fork (some 26 ms per GB
/// that the host uses), in which the hooks are tried. Normal threads only, one at a time, never a
/// hook.
///
/// Releases are more than retains: an object's first reference comes with it, and the runtime takes
/// those of weak and unowned loads without an entry point that leads here, while they are given up
/// like any other. Nothing is seen of objects that the compiler knows to have one thread only.
wick_arc_state wick_arc_begin(wick_arc_observer *observer);

/// Stops calling the observer; guards that the runtime needs stay. A thread that is on its way to
/// the observer still calls it. Two stores: may be called in a fork's child, too.
void wick_arc_end(void);

/// References that were not shown to the observer, since the process began, because their thread
/// was in it already: a signal's handler took them or gave them up. SIGNAL-SAFE.
uint64_t wick_arc_lost_count(void);
