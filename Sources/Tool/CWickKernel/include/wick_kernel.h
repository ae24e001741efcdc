// System calls that Swift cannot make by itself: they are variadic in C.
#pragma once

#include <stdbool.h>

/// Opens and closes a perf task-clock event as the agent does (perf_event_open(2)); 0 or the errno.
int wick_kernel_probe_perf(void);

/// Whether a file gives its program rights of its own (capabilities(7)).
bool wick_kernel_has_capabilities(const char *path);
