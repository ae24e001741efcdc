// What the modes of the probe share.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// A habit of a host. `run` gets the words behind the mode's name, NULL-terminated, and returns the
/// exit code: 0 if all was as it would be without an agent.
typedef struct {
    const char *name;
    int (*run)(char **arguments);
} probe_mode;

// One table a file, ended by a mode without a name.
extern const probe_mode process_modes[], thread_modes[], signal_modes[], stack_modes[], end_modes[],
    call_modes[], library_modes[], confined_modes[];

/// This thread's CPU time in seconds.
double thread_cpu(void);

/// Some work; the rounds are counted in iterations of a loop.
uint64_t burn_leaf(uint64_t rounds);

/// Works for so many seconds of this thread's CPU time.
void burn(double seconds);

/// `burn` as a thread; the argument points to the seconds.
void *burn_in_thread(void *seconds);

/// Says on standard output what is not as it should be, and returns 1: an exit code.
int complain(const char *what, long found, long expected);
