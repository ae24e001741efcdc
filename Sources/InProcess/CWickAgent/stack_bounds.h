// Where the own stack of a thread lies, so that walks may read it without asking the kernel.
#pragma once

#include "threads.h"

/// Learns from the calling thread, which must have a stack of glibc's making, where glibc keeps the
/// bounds of stacks. Until then, and where it is not glibc, no thread's bounds are found.
void wick_stack_bounds_prepare(void);

/// Looks for the bounds of a slot's thread if they are unknown and it is time to; seldom where the
/// kernel is slow to answer. By the writer.
void wick_stack_bounds_look(wick_slot *slot);
