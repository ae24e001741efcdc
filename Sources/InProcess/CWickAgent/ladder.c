#include "ladder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "handler.h"
#include "proc.h"
#include "taken_signals.h"

/// The best first. perf with SIGPROF comes after the timers, though it is more exact: its ticks
/// interrupt system calls that are about to block (a pipe's short write, poll's EINTR, in 5 to 8 of
/// 100 calls at 5 kHz), those of the other two practically never.
static const wick_engine_type *const ladder[] = {&wick_engine_perf, &wick_engine_timer,
                                                 &wick_engine_perf_signal, &wick_engine_process};
enum : uint32_t { LADDER_LENGTH = sizeof(ladder) / sizeof(ladder[0]) };

/// Stands for an errno: the engine was not even tried.
enum { NOT_TRIED_UNDER_FILTER = -1 };

/// Why an engine does not work here, for people.
static const char *reason_of(const wick_engine_type *engine, int error, char *text,
                             size_t byte_count) {
    switch (error) {
    case NOT_TRIED_UNDER_FILTER:
        return "not tried, as the process has a seccomp filter, which may kill for it; choosing "
               "the engine tries it";
    case EACCES:
    case EPERM: {
        char paranoid[16];
        size_t length = wick_proc_read("/proc/sys/kernel/perf_event_paranoid", paranoid,
                                       sizeof(paranoid));
        paranoid[length > 0 ? length - 1 : 0] = 0;
        snprintf(text, byte_count,
                 "not permitted (perf_event_paranoid is %s, or a seccomp filter)",
                 paranoid[0] ? paranoid : "unknown");
        return text;
    }
    case ENOSYS:
    case ENOENT:
        return "not in this kernel";
    case EINVAL:
        return "not in this kernel (needs Linux 5.13)";
    case EMFILE:
        return "more threads than a quarter of the free file descriptors";
    case EAGAIN:
        return "no timer per thread to be had (ulimit -i)";
    case EBUSY:
        return engine == &wick_engine_perf ? "a debugger is attached, which takes SIGTRAP"
                                           : "the program uses ITIMER_PROF itself";
    default:
        snprintf(text, byte_count, "errno %d", error);
        return text;
    }
}

static void explain(wick_session *session, const wick_engine_type *engine, int error) {
    // The first is the best one that was wanted: that it does not work is the news.
    if (session->fallback[0]) {
        return;
    }
    char text[96];
    snprintf(session->fallback, sizeof(session->fallback), "%s: %s", engine->name,
             reason_of(engine, error, text, sizeof(text)));
}

static int start_engine(wick_session *session, const wick_engine_type *engine) {
    int error = engine->probe();
    if (!error && !wick_handler_install(engine->signal_number)) {
        error = errno;
    }
    if (!error) {
        error = engine->start(&session->setup);
    }
    if (error) {
        wick_signal_give_back(engine->signal_number);
        return error;
    }
    session->engine = engine;
    return 0;
}

/// Whether asking for the engine may be answered by death.
static bool may_kill(const wick_engine_type *engine) {
    return (engine == &wick_engine_perf || engine == &wick_engine_perf_signal) &&
           wick_proc_is_filtered();
}

/// Whether an engine would be a danger in this process.
static bool is_unfit(const wick_session *session, const wick_engine_type *engine) {
    return session->is_guest && engine == &wick_engine_process;
}

/// Starts the best engine that works and is not `excluded`.
static int start_best(wick_session *session, const wick_engine_type *excluded) {
    int error = ENOTSUP;
    for (uint32_t i = 0; i < LADDER_LENGTH; i++) {
        if (ladder[i] == excluded || is_unfit(session, ladder[i])) {
            continue;
        }
        error = may_kill(ladder[i]) ? NOT_TRIED_UNDER_FILTER : start_engine(session, ladder[i]);
        if (!error) {
            return 0;
        }
        explain(session, ladder[i], error);
    }
    return error == NOT_TRIED_UNDER_FILTER ? EPERM : error;
}

int wick_ladder_start(wick_session *session, wick_engine_choice choice) {
    if (choice == WICK_CHOOSE_BEST) {
        return start_best(session, NULL);
    }
    for (uint32_t i = 0; i < LADDER_LENGTH; i++) {
        if (ladder[i]->identity == (wick_engine)choice) {
            return is_unfit(session, ladder[i]) ? ENOTSUP : start_engine(session, ladder[i]);
        }
    }
    return EINVAL;
}

bool wick_ladder_step_down(wick_session *session, int error) {
    const wick_engine_type *failed = session->engine;
    wick_handler_accept(0);
    failed->stop();
    wick_signal_give_back(failed->signal_number);
    session->fallback[0] = 0;
    explain(session, failed, error);
    session->engine = NULL;
    // Ticks of the engine that was are told from those of the next one.
    session->setup.generation = wick_next_generation(session->setup.generation);
    if (start_best(session, failed) != 0) {
        return false;
    }
    wick_handler_accept(session->setup.generation);
    return true;
}
