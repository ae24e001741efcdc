#include "armed_threads.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "pages.h"
#include "proc.h"

enum : uint32_t {
    THREAD_LIMIT = 1 << 16,
    PROBE_LIMIT = 64,
    SCAN_LIMIT = 16,
    /// A scan is followed by a pause of this many times its length: with 10,000 threads it takes
    /// 10 ms.
    SCAN_PAUSE = 40,
    /// Entries of a page of memory.
    PAGE_ENTRIES = 512,
    PAGE_COUNT = THREAD_LIMIT / PAGE_ENTRIES,
};

/// Open addressing. An entry is tid << 32 | handle + 2; TOMB marks a place that was used. Two
/// triggers of one thread are possible for a moment (both found it new); the handler counts one.
static _Atomic uint64_t *threads;
enum : uint64_t { EMPTY = 0, TOMB = 1, FIRST_HANDLE = 2 };

/// Pages of the table that have an entry or had one: walks pass over the others.
static _Atomic bool used_pages[PAGE_COUNT];

/// Scan in which a place's thread was last seen; the writer's own.
static uint32_t *seen;
static uint32_t scan;
static uint64_t next_scan_ns;

static _Atomic uint32_t sequence;
static _Atomic uint64_t missing_count;
static wick_engine_setup current;
static const wick_thread_trigger *trigger;
/// Whether the threads that were there at the start are armed: what is found later is new.
static _Atomic bool started;

static uint32_t place_of(pid_t tid, uint32_t probe) {
    return ((uint32_t)tid * 0x9e3779b1u + probe) & (THREAD_LIMIT - 1);
}

/// The place of a thread; THREAD_LIMIT if it is not armed.
static uint32_t find(pid_t tid) {
    for (uint32_t probe = 0; probe < PROBE_LIMIT; probe++) {
        uint32_t place = place_of(tid, probe);
        uint64_t entry = atomic_load_explicit(&threads[place], memory_order_acquire);
        if (entry == EMPTY) {
            break;
        }
        if (entry != TOMB && (pid_t)(entry >> 32) == tid) {
            return place;
        }
    }
    return THREAD_LIMIT;
}

static bool insert(pid_t tid, int handle) {
    uint64_t entry = (uint64_t)tid << 32 | ((uint32_t)handle + FIRST_HANDLE);
    for (uint32_t probe = 0; probe < PROBE_LIMIT; probe++) {
        uint32_t place = place_of(tid, probe);
        uint64_t old = atomic_load_explicit(&threads[place], memory_order_relaxed);
        atomic_store_explicit(&used_pages[place / PAGE_ENTRIES], true, memory_order_relaxed);
        // Release: pairs with the acquire in find and in remove_at.
        if (old <= TOMB && atomic_compare_exchange_strong_explicit(&threads[place], &old, entry,
                                                                   memory_order_acq_rel,
                                                                   memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

/// Calls `visit` for each place that has an entry.
static void each_entry(void (*visit)(uint32_t place, uint64_t entry)) {
    for (uint32_t page = 0; threads && page < PAGE_COUNT; page++) {
        if (!atomic_load_explicit(&used_pages[page], memory_order_relaxed)) {
            continue;
        }
        for (uint32_t place = page * PAGE_ENTRIES; place < (page + 1) * PAGE_ENTRIES; place++) {
            uint64_t entry = atomic_load_explicit(&threads[place], memory_order_acquire);
            if (entry > TOMB) {
                visit(place, entry);
            }
        }
    }
}

/// Makes all places empty again, as no other thread looks at them.
static void clear(void) {
    for (uint32_t page = 0; threads && page < PAGE_COUNT; page++) {
        if (atomic_load_explicit(&used_pages[page], memory_order_relaxed)) {
            memset((void *)&threads[page * PAGE_ENTRIES], 0, PAGE_ENTRIES * sizeof(*threads));
            atomic_store_explicit(&used_pages[page], false, memory_order_relaxed);
        }
    }
}

static int handle_of(uint64_t entry) {
    return (int)((uint32_t)entry - FIRST_HANDLE);
}

static void remove_at(uint32_t place) {
    uint64_t entry = atomic_exchange_explicit(&threads[place], TOMB, memory_order_acq_rel);
    if (entry > TOMB) {
        trigger->disarm(handle_of(entry));
    }
}

/// Arms a thread that is not. 0 or an errno; that of a thread that is gone is 0.
static int arm(pid_t tid) {
    uint32_t number = atomic_fetch_add_explicit(&sequence, 1, memory_order_relaxed) + 1;
    uint64_t cookie = (uint64_t)current.generation << 32 | number;
    int handle;
    int error = trigger->arm(tid, cookie, atomic_load_explicit(&started, memory_order_acquire),
                             &handle);
    if (error) {
        return error == ESRCH ? 0 : error;
    }
    if (!insert(tid, handle)) {
        trigger->disarm(handle);
        return ENOSPC;
    }
    return 0;
}

typedef struct {
    int error;
    bool added;
} scan_result;

static bool visit(uint32_t tid, void *context) {
    scan_result *result = context;
    if ((pid_t)tid == current.writer_tid || (pid_t)tid == wick_control_tid()) {
        return true;
    }
    if (find((pid_t)tid) == THREAD_LIMIT) {
        int error = arm((pid_t)tid);
        if (error) {
            atomic_fetch_add_explicit(&missing_count, 1, memory_order_relaxed);
            result->error = error;
        }
        result->added |= !error;
    }
    uint32_t place = find((pid_t)tid);
    if (place != THREAD_LIMIT) {
        seen[place] = scan;
    }
    // At the start one failure is enough to know that the engine will not do.
    return !result->error || atomic_load_explicit(&started, memory_order_relaxed);
}

static scan_result scan_threads(void) {
    atomic_store_explicit(&missing_count, 0, memory_order_relaxed);
    scan++;
    scan_result result = {0};
    if (!wick_proc_each_number("/proc/self/task", visit, &result)) {
        result.error = errno;
    }
    return result;
}

int wick_armed_start(const wick_engine_setup *setup, const wick_thread_trigger *chosen) {
    if (!threads) {
        seen = wick_pages_map(THREAD_LIMIT * sizeof(*seen));
        threads = wick_pages_map(THREAD_LIMIT * sizeof(*threads));
        if (!threads || !seen) {
            return ENOMEM;
        }
    }
    current = *setup;
    trigger = chosen;
    next_scan_ns = 0;
    // A fork's child finds zeros where it has nothing to give back: writing them would cost it a
    // fault a page.
    madvise(threads, THREAD_LIMIT * sizeof(*threads),
            chosen->forget ? MADV_KEEPONFORK : MADV_WIPEONFORK);
    scan_result result = {.added = true};
    for (uint32_t round = 0; round < SCAN_LIMIT && result.added && !result.error; round++) {
        result = scan_threads();
    }
    if (result.error) {
        wick_armed_stop();
        return result.error;
    }
    atomic_store_explicit(&started, true, memory_order_release);
    return 0;
}

static void remove_if_gone(uint32_t place, uint64_t entry) {
    (void)entry;
    // A thread that armed itself after it was passed over is seen by the next scan.
    if (seen[place] + 1 < scan) {
        remove_at(place);
    }
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int wick_armed_rescan(void) {
    uint64_t begin = now_ns();
    if (begin < next_scan_ns) {
        return 0;
    }
    scan_result result = scan_threads();
    each_entry(remove_if_gone);
    uint64_t end = now_ns();
    next_scan_ns = end + (end - begin) * SCAN_PAUSE;
    return result.error;
}

void wick_armed_thread_began(void) {
    pid_t tid = (pid_t)syscall(SYS_gettid);
    if (!atomic_load_explicit(&started, memory_order_acquire) || find(tid) != THREAD_LIMIT) {
        return;
    }
    arm(tid);
    uint32_t place = find(tid);
    if (place != THREAD_LIMIT && !atomic_load_explicit(&started, memory_order_acquire)) {
        remove_at(place);  // Stopped meanwhile.
    }
}

static void remove_entry(uint32_t place, uint64_t entry) {
    (void)entry;
    remove_at(place);
}

void wick_armed_stop(void) {
    atomic_store_explicit(&started, false, memory_order_release);
    each_entry(remove_entry);
    clear();
}

static void forget_entry(uint32_t place, uint64_t entry) {
    (void)place;
    trigger->forget(handle_of(entry));
}

void wick_armed_forget(void) {
    atomic_store_explicit(&started, false, memory_order_release);
    if (trigger && trigger->forget) {
        each_entry(forget_entry);
        clear();
    }
}

uint64_t wick_armed_missing(void) {
    return atomic_load_explicit(&missing_count, memory_order_relaxed);
}
