// The text of the environment variable WICK: what a preloaded or linked agent shall do by itself.
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "wick_agent.h"

/// Parsed text; `options.output` points into `output`.
typedef struct {
    wick_options options;
    char output[PATH_MAX];
    /// Whether programs that the process executes are recorded too.
    bool children;
    /// Whether nothing is recorded before somebody attaches.
    bool idle;
} wick_config;

/// Parses "idle", "on" or "out=PATH,hz=N,engine=ENGINE,duration=SECONDS,children=on|off,
/// alloc=on|off|all|BYTES,arc=on|off,mmap=on|off" (all parts optional), with ENGINE one of auto, perf,
/// perf-signal, timer, setitimer, and BYTES with k, m or g behind it for KiB, MiB or GiB. Returns false
/// if a part is unknown or out of range. Allocates nothing.
bool wick_config_parse(const char *text, wick_config *config);

/// Expands "%p" to the process id and "%XX" to a byte; a relative path is made absolute, as the
/// host may change its folder. Returns false if the result does not fit.
bool wick_config_expand_path(const char *pattern, pid_t pid, char *path, size_t byte_count);
