// What the two files of the oracle share; see walk-oracle.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether all modules are known.
extern bool armed;
/// Whether calls are walked from.
extern bool walks_from_calls;
/// The main thread's stack.
extern uintptr_t stack_low, stack_high;
/// What call-oracle.c counts, where it is there.
extern size_t call_count, differing_call_count;

/// Prints a walk's frames to stderr.
void show(const char *name, const uintptr_t *frames, size_t count);
