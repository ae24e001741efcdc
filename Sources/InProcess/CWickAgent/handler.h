// The signal handler: one interrupted stack into one ring.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/// Identifies our signals: generation in the upper, trigger number (≥ 1) in the lower 32 bits.
typedef uint64_t wick_cookie;

/// Takes SIGTRAP (perf events) or SIGPROF (timers) and remembers the action that was there, for
/// signals that are not ours. Idempotent; never undone, as signals may come late. False with errno
/// set if the kernel refuses.
bool wick_handler_install(int signal_number);

/// Whether our handler is still the action of a signal.
bool wick_handler_is_installed(int signal_number);

/// The host asks for the action of a signal, or sets it: if the signal is ours, the host's wish is
/// kept for signals that are not ours, and our handler stays. False if the signal is not ours; then
/// nothing is done. Any thread; also from a handler, as sigaction may be called there.
bool wick_handler_replace_previous(int signal_number, const struct sigaction *action,
                                   struct sigaction *old);

/// Lets samples of a generation in, or (0) none.
void wick_handler_accept(uint32_t generation);

#ifndef WICK_PRELOAD
/// What a signal does with the interrupted registers, for the benchmark; see wick_agent_benchmark.h.
void wick_handler_record(const void *context, wick_cookie cookie);
#endif

/// Weight lost because all slots were taken, since the process began.
uint64_t wick_handler_lost_no_slot(void);
