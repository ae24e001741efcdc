// perf events of other threads, for Swift: perf_event_open(2) and its ring buffers, which need
// ioctls, and loads and stores that are ordered with the kernel's.
//
//   ring    one page of control, then data_byte_count bytes (pages, a power of two)
//   record  perf_event_header, body, then of all but samples: pid, tid (u32), time (u64)
//   sample  ip, pid and tid (u32), time, frame count, frames (u64)
#pragma once

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// How the threads of a process are sampled.
typedef struct {
    /// CPU time between two samples.
    uint64_t period_ns;
    /// Frames that the kernel walks at most.
    uint16_t frame_limit;
    /// Leaves time in the kernel out, which needs fewer rights.
    bool user_only;
} wick_perf_settings;

/// Opens a disabled task-clock event of a thread and stores its descriptor. Times are of
/// CLOCK_MONOTONIC. Mappings of code, names, forks and exits of the thread are reported too.
/// 0 or the errno.
int wick_perf_open(const wick_perf_settings *settings, pid_t tid, int *descriptor);

/// Opens an event of a thread that only reports what the thread makes and what becomes of it; its
/// descriptor can be read at the first record. 0 or the errno.
int wick_perf_open_watch(pid_t tid, int *descriptor);

/// Maps the ring of an event. 0 or the errno.
int wick_perf_map(int descriptor, size_t data_byte_count, void **ring);

void wick_perf_unmap(void *ring, size_t data_byte_count);

/// Lets the event count and sample, or not.
void wick_perf_enable(int descriptor, bool enabled);

/// CPU time that the event has counted.
uint64_t wick_perf_count_ns(int descriptor);

/// Bytes of whole records that wait in the ring; at most data_byte_count.
size_t wick_perf_waiting(const void *ring);

/// Moves that many bytes out of the ring.
void wick_perf_take(void *ring, size_t data_byte_count, size_t byte_count, void *to);

/// A set of descriptors to wait for (epoll(7)); -1 if there is none.
int wick_watch_create(void);

/// Adds a descriptor, until it is closed; false if that is not possible.
bool wick_watch_add(int set, int descriptor, int32_t key);

/// Waits for a descriptor that can be read: its key, and whether it will have no more; false if none
/// can in time. The set itself must not be polled: that would take back what a perf event says.
bool wick_watch_next(int set, int timeout_ms, int32_t *key, bool *is_over);

/// A descriptor that can be read once the process has ended; -1 if there is none.
int wick_process_watch(pid_t pid);

/// The wait status of a watched process that has ended; -1 if it cannot be had.
int wick_process_exit_status(int descriptor);

/// CPU time of all threads that a process ever had; false if there is no such process any more.
bool wick_process_cpu_ns(pid_t pid, uint64_t *ns);

/// The same clock of this program.
uint64_t wick_own_cpu_ns(void);
