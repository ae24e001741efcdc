// The signal handler: one interrupted stack into one ring.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/// Identifies our signals: generation (see wick_next_generation) in the upper, trigger number (≥ 1) in
/// the lower 32 bits.
typedef uint64_t wick_cookie;

/// Takes SIGTRAP (perf events) or SIGPROF (everything else). Idempotent. False with errno set if the
/// kernel refuses.
bool wick_handler_install(int signal_number);

/// Whether a signal was sent by what we armed, in this recording or an earlier one.
bool wick_handler_is_own(int number, const siginfo_t *info);

/// Makes the signals of a perf event's descriptor ours (engine 2), for good, as they may come late;
/// false if its number is too high.
bool wick_handler_own(int descriptor);

/// Whether walks may copy memory by process_vm_readv; not where a seccomp filter may kill for it.
void wick_handler_allow_windows(bool allowed);
bool wick_handler_windows_allowed(void);

/// Engine 4: SIGPROF from the kernel is ours, and weighs the process's CPU time since the last
/// sample in periods. 0: no more.
void wick_handler_weigh_by_process_clock(uint64_t period_ns);

/// Lets samples of a generation in, or (0) none.
void wick_handler_accept(uint32_t generation);

#ifndef WICK_PRELOAD
/// What a signal does with the interrupted registers, for the benchmark; see wick_agent_benchmark.h.
void wick_handler_record(const void *context, wick_cookie cookie);
#endif

/// Weight lost because all slots were taken, since the process began.
uint64_t wick_handler_lost_no_slot(void);
