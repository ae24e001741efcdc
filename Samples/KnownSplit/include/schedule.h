#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "leaves.h"

/*
 * One thread's work: the leaves take turns in rounds of 1.618 ms of the thread's own CPU
 * time, and the schedule gives each leaf what it still lacks of its share, so the measured shares
 * stay within a round of 70/20/10 however the thread is scheduled:
 *
 *   CPU time  |<------------- one round, 1.618 ms ------------->|<---- next round ...
 *             | leaf_seventy          | leaf_twenty | leaf_ten  | leaf_seventy
 *   clock     ^                       ^             ^           ^   read once per slot
 */
struct wick_schedule {
    const char *name; /* at most 15 characters, the thread's name */
    uint64_t burst_ns;      /* CPU time between two sleeps of 1 ms; 0: never sleeps */
    int64_t end_ns;         /* CLOCK_MONOTONIC when the thread stops */
    pid_t tid;              /* this and the rest is set by the thread */
    uint64_t cpu_ns;        /* the thread's CPU clock at its end, its sleeps' system calls too */
    uint64_t leaf_ns[WICK_LEAVES]; /* CPU time between the clock reads around each leaf */
};

/* Body of a thread; takes a `struct wick_schedule *` and fills in its results. */
void *wick_run_schedule(void *schedule);

/* Nanoseconds of this clock. */
int64_t wick_now_ns(int clock);
