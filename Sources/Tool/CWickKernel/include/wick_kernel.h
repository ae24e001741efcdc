// What Swift cannot do by itself: variadic system calls and signal handlers.
#pragma once

#include <stdbool.h>

/// Opens and closes a perf task-clock event as the agent does (perf_event_open(2)); 0 or the errno.
int wick_kernel_probe_perf(void);

/// Whether a file gives its program rights of its own (capabilities(7)).
bool wick_kernel_has_capabilities(const char *path);

/// From now on SIGINT, SIGTERM and SIGHUP end this program with 128 + n after writing `line` (a
/// copy is kept; what exceeds 4 KiB is cut) to standard error; those that are ignored stay so.
void wick_kernel_leave_on_signals(const char *line);
