// The agent's contract with the program that links it. Everything here may be called from any
// normal thread, never from a signal handler. Nothing here prints, aborts or throws: whatever
// fails is returned, and the program goes on.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Which trigger to use.
typedef enum __attribute__((enum_extensibility(closed), swift_name("EngineChoice"))) : uint32_t {
    /// The best that works here.
    WICK_CHOOSE_BEST __attribute__((swift_name("best"))) = 0,
    /// perf task-clock with SIGTRAP or nothing.
    WICK_CHOOSE_PERF __attribute__((swift_name("perf"))) = 1,
    /// perf task-clock with SIGPROF or nothing.
    WICK_CHOOSE_PERF_SIGNAL __attribute__((swift_name("perfSignal"))) = 2,
    /// Per-thread CPU timers or nothing.
    WICK_CHOOSE_TIMER __attribute__((swift_name("timer"))) = 3,
    /// The process's one CPU timer or nothing.
    WICK_CHOOSE_PROCESS_TIMER __attribute__((swift_name("processTimer"))) = 4,
} wick_engine_choice;

enum : uint32_t {
    WICK_RATE_MINIMUM_HZ = 1,
    WICK_RATE_MAXIMUM_HZ = 10000,
    WICK_RATE_DEFAULT_HZ = 99,
};

enum : uint64_t {
    WICK_ALLOCATION_EVERY = 1,
    WICK_ALLOCATION_DEFAULT_BYTES = 512 << 10,
    WICK_ALLOCATION_MAXIMUM_BYTES = UINT64_C(1) << 40,
};

/// What to record, and where. A zeroed struct means the defaults.
typedef struct __attribute__((swift_name("AgentOptions"))) {
    /// Path of the recording; "%p" in it becomes the process id, "%25" a percent sign, "%2C" a
    /// comma. NULL: "wick-%p.wick" in the current folder.
    const char *output;
    /// Samples per second of CPU time and thread, 1…10,000; 0: 99.
    uint32_t rate_hz;
    wick_engine_choice engine;
    /// Stop by itself after this many milliseconds; 0: never.
    uint64_t duration_ms;
    /// Mean number of bytes between two allocations that are followed: WICK_ALLOCATION_DEFAULT_BYTES is
    /// cheap enough for production; 1 follows every one; 0 none.
    uint64_t allocation_interval;
    /// Whether retains and releases of Swift objects are counted too.
    bool counts_references;
    /// Whether mmap and munmap count as allocations.
    bool follows_mappings;
} wick_options;

/// How a call ended.
typedef enum __attribute__((enum_extensibility(closed), swift_name("AgentResult"))) : uint32_t {
    WICK_RESULT_OK __attribute__((swift_name("ok"))) = 0,
    /// A recording is under way; it goes on as it was.
    WICK_RESULT_ALREADY_RUNNING __attribute__((swift_name("alreadyRunning"))) = 1,
    /// Nothing to stop.
    WICK_RESULT_NOT_RUNNING __attribute__((swift_name("notRunning"))) = 2,
    /// An option is out of range, or the text of WICK cannot be understood.
    WICK_RESULT_BAD_OPTION __attribute__((swift_name("badOption"))) = 3,
    /// The recording could not be created; errno says why.
    WICK_RESULT_CANNOT_OPEN __attribute__((swift_name("cannotOpen"))) = 4,
    /// No trigger works here; errno is that of the last one tried.
    WICK_RESULT_NO_ENGINE __attribute__((swift_name("noEngine"))) = 5,
    /// The kernel refused memory or a thread; errno says which.
    WICK_RESULT_NO_RESOURCES __attribute__((swift_name("noResources"))) = 6,
} wick_result;

/// Starts to record the calling process. Keeps nothing of `options`. Returns when sampling is on.
wick_result wick_start(const wick_options *options);

/// Stops: disarms, writes what is pending and closes the recording. The agent's code and its
/// signal handler stay in place for signals that come late.
wick_result wick_stop(void);

/// Changes the interval of the allocations that are followed, while recording; see `wick_options`. What is
/// followed already stays so to its end.
wick_result wick_set_allocation_interval(uint64_t bytes);

/// Whether a recording is under way in this process, by this copy of the agent or another.
bool wick_is_running(void);
