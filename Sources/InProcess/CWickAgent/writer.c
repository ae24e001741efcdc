#include "writer.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "allocation.h"
#include "allocation_drain.h"
#include "control.h"
#include "drain.h"
#include "handler.h"
#include "ladder.h"
#include "raw_syscall.h"
#include "recording.h"
#include "stream.h"
#include "taken_signals.h"

enum : uint64_t {
    NS_PER_MS = 1000000,
    /// Between two drains: rings hold 200 ms, and a killed process loses at most two drains.
    DRAIN_MS = 48,
    DRAIN_FAST_MS = 20,
    /// The rate above which rings are drained faster.
    FAST_RATE_HZ = 2000,
    STOP_WAIT_MS = 5000,
    /// The control socket is opened this late, so that short-lived processes never pay for it.
    CONTROL_AFTER_MS = 200,
};

enum { THREAD_STACK_BYTES = 256 << 10 };

/// Phases of the thread, as a futex: waited on by the thread (for work) and by its makers.
enum : uint32_t { NONE, STARTING, READY, RUNNING, STOPPING, DONE };

static _Atomic uint32_t phase;
/// Whether the thread was already woken early since its last whole pause.
static _Atomic bool is_hurried;
static pid_t thread_id;
/// The process that the thread is in. A child by the system call itself is told nothing.
static pid_t owner;
static wick_session session;
static wick_end_reason end_reason;

/// Returns whether the whole time went by.
static bool futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ms) {
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ms / 1000),
                               .tv_nsec = (long)(timeout_ms % 1000 * NS_PER_MS)};
    return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &timeout, NULL, 0) != 0 &&
           errno == ETIMEDOUT;
}

void wick_writer_hurry(void) {
    if (!atomic_load_explicit(&is_hurried, memory_order_relaxed) &&
        !atomic_exchange_explicit(&is_hurried, true, memory_order_relaxed)) {
        wick_raw_syscall6(SYS_futex, (long)&phase, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
    }
}

static uint32_t get_phase(void) {
    // Acquire: pairs with set_phase.
    return atomic_load_explicit(&phase, memory_order_acquire);
}

static void set_phase(uint32_t value) {
    // Release: what was written before is seen by who sees the phase.
    atomic_store_explicit(&phase, value, memory_order_release);
    syscall(SYS_futex, &phase, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / NS_PER_MS;
}

/// The drains of a running session. Returns why it ended.
static wick_end_reason run(void) {
    uint64_t pause = session.rate_hz > FAST_RATE_HZ ? DRAIN_FAST_MS : DRAIN_MS;
    uint64_t begin = now_ms();
    uint64_t end = session.duration_ms ? begin + session.duration_ms : UINT64_MAX;
    bool is_open = wick_stream_is_open();
    while (get_phase() == RUNNING) {
        if (futex_wait(&phase, RUNNING, pause)) {
            atomic_store_explicit(&is_hurried, false, memory_order_relaxed);
        }
        int error = session.engine->rescan && get_phase() == RUNNING ? session.engine->rescan() : 0;
        if (error) {
            if (!wick_ladder_step_down(&session, error)) {
                return WICK_END_NO_ENGINE;
            }
            wick_drain_note_engine(&session);
        }
        error = wick_drain(session.engine);
        if (error) {
            return error == ENOSPC ? WICK_END_DISK_FULL : WICK_END_WRITE_FAILED;
        }
        uint64_t now = now_ms();
        if (now >= end) {
            return WICK_END_DURATION;
        }
        if (!is_open && now >= begin + CONTROL_AFTER_MS) {
            is_open = true;
            // Without a socket it is recorded all the same.
            (void)wick_control_open(WICK_CONTROL_RECORDING);
        }
    }
    return end_reason;
}

static void *main_of_thread(void *unused) {
    (void)unused;
    prctl(PR_SET_NAME, "wick-writer");
    thread_id = (pid_t)syscall(SYS_gettid);
    wick_allocation_ignore_thread();
    wick_drain_prepare();
    set_phase(READY);
    while (get_phase() == READY) {
        futex_wait(&phase, READY, STOP_WAIT_MS);
    }
    // A canceled session goes from READY to STOPPING without a run.
    if (session.engine) {
        wick_end_reason reason = run();
        const wick_engine_type *engine = session.engine;
        if (engine) {
            engine->stop();
        }
        wick_handler_accept(0);
        wick_allocations_look();
        wick_allocations_stop(reason == WICK_END_EXITED || reason == WICK_END_EXEC);
        wick_drain_finish(engine, reason);
        session.engine = NULL;
        // Else whoever asked for the end does it.
        if (engine && get_phase() == RUNNING) {
            wick_signal_give_back(engine->signal_number);
        }
    }
    set_phase(DONE);
    wick_control_note_end();
    return NULL;
}

int wick_writer_create(pid_t *tid) {
    session = (wick_session){0};
    owner = getpid();
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error) {
        return error;
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    set_phase(STARTING);
    // The thread is born with all signals blocked: none of the host's is ever handled on it.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    error = pthread_create(&thread, &attributes, main_of_thread, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error) {
        set_phase(NONE);
        return error;
    }
    while (get_phase() == STARTING) {
        futex_wait(&phase, STARTING, STOP_WAIT_MS);
    }
    *tid = thread_id;
    return 0;
}

int wick_writer_run(const wick_session *begun) {
    int error = wick_drain_begin(begun);
    if (error) {
        wick_writer_cancel();
        return error;
    }
    session = *begun;
    wick_handler_accept(session.setup.generation);
    set_phase(RUNNING);
    return 0;
}

/// Waits until the thread is done; false if it does not answer.
static bool wait_until_done(void) {
    uint64_t end = now_ms() + STOP_WAIT_MS;
    uint32_t seen;
    while ((seen = get_phase()) != DONE && seen != NONE && now_ms() < end) {
        futex_wait(&phase, seen, 100);
    }
    return seen == DONE || seen == NONE;
}

void wick_writer_cancel(void) {
    if (get_phase() == READY) {
        set_phase(STOPPING);
        wait_until_done();
    }
}

void wick_writer_stop(wick_end_reason reason) {
    end_reason = reason;
    uint32_t running = RUNNING;
    // Acquire-release: end_reason is seen by the thread, and a thread that ended by itself is left.
    if (atomic_compare_exchange_strong_explicit(&phase, &running, STOPPING, memory_order_acq_rel,
                                                memory_order_acquire)) {
        syscall(SYS_futex, &phase, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
    }
    wait_until_done();
}

bool wick_writer_is_running(void) {
    uint32_t seen = get_phase();
    return seen != NONE && seen != DONE && owner == getpid();
}

void wick_writer_thread_began(void) {
    // The engines are constants: what is read here is one of them or NULL, whatever happens.
    const wick_engine_type *engine = session.engine;
    if (get_phase() == RUNNING && engine && engine->thread_began) {
        engine->thread_began();
    }
}

void wick_writer_forget(void) {
    wick_handler_accept(0);
    if (session.engine) {
        session.engine->after_fork();
    }
    wick_signals_give_back_in_child();
    session = (wick_session){0};
    wick_recording_forget();
    // No thread waits in the child: nobody to wake.
    atomic_store_explicit(&phase, NONE, memory_order_release);
}
