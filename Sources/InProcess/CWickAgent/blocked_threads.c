#include "blocked_threads.h"

#include <string.h>
#include <time.h>

#include "control.h"
#include "proc.h"

enum : uint32_t {
    /// Threads that are listed at most.
    LIST_LIMIT = 256,
    /// Masks that one look reads, at some 8 µs each.
    LOOK_LIMIT = 512,
};

typedef struct {
    pid_t tid;
    /// Its CPU time when it was found.
    uint64_t first_ns;
} blocked_thread;

static blocked_thread list[LIST_LIMIT];
static uint32_t count;
/// Where the next look goes on, by place in /proc/self/task.
static uint32_t next_place;

typedef struct {
    uint64_t bit;
    pid_t writer_tid;
    uint32_t place, first, end;
} look;

/// A thread's CPU time; 0 if it is gone.
static uint64_t cpu_ns(pid_t tid) {
    struct timespec used;
    // MAKE_THREAD_CPUCLOCK of the kernel's posix-timers.
    clockid_t clock = (clockid_t)((~(unsigned)tid << 3) | 6);
    return clock_gettime(clock, &used) == 0
               ? (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec
               : 0;
}

static bool is_listed(pid_t tid) {
    for (uint32_t i = 0; i < count; i++) {
        if (list[i].tid == tid) {
            return true;
        }
    }
    return false;
}

static bool visit(uint32_t tid, void *context) {
    look *state = context;
    uint32_t place = state->place++;
    if (place >= state->first && place < state->end && (pid_t)tid != state->writer_tid &&
        (pid_t)tid != wick_control_tid() &&
        count < LIST_LIMIT && !is_listed((pid_t)tid) &&
        wick_proc_status((pid_t)tid, "SigBlk", 16) & state->bit) {
        list[count++] = (blocked_thread){.tid = (pid_t)tid, .first_ns = cpu_ns((pid_t)tid)};
    }
    return place < state->end;
}

void wick_blocked_reset(void) {
    count = next_place = 0;
}

void wick_blocked_look(int signal_number, pid_t writer_tid, bool all) {
    look state = {.bit = UINT64_C(1) << (signal_number - 1),
                  .writer_tid = writer_tid,
                  .first = all ? 0 : next_place,
                  .end = all ? UINT32_MAX : next_place + LOOK_LIMIT};
    wick_proc_each_number("/proc/self/task", visit, &state);
    next_place = state.place > state.end ? state.end : 0;
    // A mask of a moment (around fork, in a handler) is no reason to be listed.
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (wick_proc_status(list[i].tid, "SigBlk", 16) & state.bit) {
            list[kept++] = list[i];
        }
    }
    count = kept;
}

void wick_blocked_forget(pid_t tid) {
    for (uint32_t i = 0; i < count; i++) {
        if (list[i].tid == tid) {
            list[i] = list[--count];
            return;
        }
    }
}

void wick_blocked_write(wick_buffer *buffer) {
    for (uint32_t i = 0; i < count; i++) {
        uint64_t now = cpu_ns(list[i].tid);
        char name[16];
        wick_proc_thread_name(list[i].tid, name);
        wick_buffer_varint(buffer, (uint64_t)list[i].tid);
        wick_buffer_varint(buffer, now > list[i].first_ns ? now - list[i].first_ns : 0);
        wick_buffer_string(buffer, name, strlen(name));
    }
}
