// The Swift runtime's places for hooks on retain and release: where they are, and whether the code
// that calls through them is the code that our hooks were written for (libswiftCore 6.3, x86_64).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "arc_hooks.h"

typedef enum : size_t {
    WICK_ARC_RETAIN,
    WICK_ARC_RELEASE,
    WICK_ARC_RETAIN_N,
    WICK_ARC_RELEASE_N,
    WICK_ARC_TRY_RETAIN,
    WICK_ARC_CALL_COUNT,
} wick_arc_call;

typedef struct {
    /// swift_retain and the others: what programs call.
    uintptr_t entries[WICK_ARC_CALL_COUNT];
    /// _swift_retain and the others: where each leads to while the flag is 1.
    uintptr_t *places[WICK_ARC_CALL_COUNT];
    uint8_t *flag;
    /// Behind the call in the runtime's adapter of swift_retain.
    uintptr_t adapter_return;
} wick_arc_runtime;

/// Finds the runtime and checks it: WICK_ARC_ON if all is as known, and nobody else's hooks are in
/// place. Changes nothing. Normal threads only.
wick_arc_state wick_arc_find_runtime(wick_arc_runtime *found);
