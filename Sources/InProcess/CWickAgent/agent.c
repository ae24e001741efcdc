// Lifecycle: options, choice of the engine, start, stop, fork, exit, and the one agent per process.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <dlfcn.h>

#include "allocation.h"
#include "allocation_session.h"
#include "arc_hooks.h"
#include "config.h"
#include "control.h"
#include "drain.h"
#include "engine.h"
#include "exec_hooks.h"
#include "handler.h"
#include "images.h"
#include "ladder.h"
#include "proc.h"
#include "raw_syscall.h"
#include "recording.h"
#include "session.h"
#include "stream.h"
#include "taken_signals.h"
#include "threads.h"
#include "wick_agent.h"
#include "writer.h"

/// What one copy of the agent shows to another in the same process. One copy does the work; others
/// pass their calls on to it.
typedef struct {
    uint32_t version;
    wick_result (*start)(const wick_options *options);
    wick_result (*stop)(void);
    bool (*is_running)(void);
    int (*serve)(void);
    wick_result (*set_allocation_interval)(uint64_t bytes);
} agent_interface;

static wick_result start_here(const wick_options *options);
static wick_result stop_here(void);
static int serve_here(void);
static wick_result set_allocation_interval_here(uint64_t bytes);

/// Not named by what it is exported as: the loader would put another copy's in its place.
static const agent_interface here = {
    .version = 3,
    .start = start_here,
    .stop = stop_here,
    .is_running = wick_writer_is_running,
    .serve = serve_here,
    .set_allocation_interval = set_allocation_interval_here};

#define SHOWN_AS(name)                                                                             \
    extern const agent_interface name __attribute__((alias("here"), visibility("default")));

SHOWN_AS(wick_agent_v1)
#ifdef WICK_PRELOAD
SHOWN_AS(wick_preloaded_agent_v1)
#endif

/// The first copy that the loader finds, but a preloaded one before all: it begins by itself, though
/// a program that shows its symbols (-rdynamic; static Swift programs do) is looked through before it.
static const agent_interface *the_agent(void) {
    const agent_interface *first = dlsym(RTLD_DEFAULT, "wick_preloaded_agent_v1");
    // A copy that was brought in later has that name, too, but finds itself last of all.
    if (!first || (first == &here && wick_agent_is_guest())) {
        first = dlsym(RTLD_DEFAULT, "wick_agent_v1");
    }
    return first && first->version == here.version ? first : &here;
}

/// Serializes start and stop. Never taken by a handler; reset in a fork's child.
static pthread_mutex_t lifecycle = PTHREAD_MUTEX_INITIALIZER;
static uint32_t generation;

// MARK: fork

static _Thread_local __attribute__((tls_model("initial-exec"))) sigset_t mask_before_fork;

/// A signal during fork makes the kernel begin the call again, at a high rate for ever.
static void before_fork(void) {
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGPROF);
    sigaddset(&ours, SIGTRAP);
    pthread_sigmask(SIG_BLOCK, &ours, &mask_before_fork);
    wick_images_hold();
    wick_allocation_before_fork();
}

static void after_fork_in_parent(void) {
    wick_allocation_after_fork(false);
    wick_images_go_on(false);
    pthread_sigmask(SIG_SETMASK, &mask_before_fork, NULL);
}

static void after_fork_in_child(void) {
    wick_allocation_after_fork(true);
    wick_arc_end();
    wick_images_go_on(true);
    wick_control_forget();
    wick_writer_forget();
    wick_threads_forget();
    lifecycle = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    pthread_sigmask(SIG_SETMASK, &mask_before_fork, NULL);
}

static void watch_forks(void) {
    static bool watched;
    if (!watched) {
        watched = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
    }
}

// MARK: start and stop

/// What the latest start was asked for, so that recording can go on after an exec that failed.
static wick_options latest_options;
static char latest_path[PATH_MAX];
static pid_t latest_pid;

static wick_result failed(wick_result result, int error) {
    errno = error;
    return result;
}

/// Where a recording goes that goes to no file.
typedef struct {
    const int *sockets;
    const char *const *greetings;
    size_t count;
} stream_target;

/// 0 or an errno.
static int open_recording(const wick_options *options, const stream_target *stream, char *path,
                          size_t byte_count) {
    if (stream) {
        path[0] = 0;
        int error = wick_stream_open(stream->sockets, stream->greetings, stream->count);
        if (!error) {
            wick_recording_open_stream();
        }
        return error;
    }
    const char *pattern = options->output ? options->output : "wick-%p.wick";
    return wick_config_expand_path(pattern, getpid(), path, byte_count) ? wick_recording_open(path)
                                                                       : ENAMETOOLONG;
}

/// What was opened for a start that failed: nobody is told that it succeeded.
static void discard_recording(void) {
    wick_stream_forget();
    wick_recording_close(0);
}

static wick_status latest_status;
static uint64_t latest_start_ms;

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static wick_result start_locked(const wick_options *options, const stream_target *stream) {
    uint32_t rate = options->rate_hz ? options->rate_hz : WICK_RATE_DEFAULT_HZ;
    if (rate > WICK_RATE_MAXIMUM_HZ ||
        options->allocation_interval > WICK_ALLOCATION_MAXIMUM_BYTES) {
        return failed(WICK_RESULT_BAD_OPTION, EINVAL);
    }
    if (wick_writer_is_running()) {
        return WICK_RESULT_ALREADY_RUNNING;
    }
    if (!wick_threads_map(rate)) {
        return failed(WICK_RESULT_NO_RESOURCES, ENOMEM);
    }
    watch_forks();
    wick_handler_allow_windows(!wick_proc_is_filtered());
    char path[PATH_MAX];
    int error = open_recording(options, stream, path, sizeof(path));
    if (error) {
        return failed(WICK_RESULT_CANNOT_OPEN, error);
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    // Never 0, and not that of an earlier image of this process.
    generation = wick_next_generation(generation + (uint32_t)now.tv_nsec);
    wick_session session = {.rate_hz = rate,
                            .duration_ms = options->duration_ms,
                            .is_guest = wick_agent_is_guest(),
                            .setup = {.generation = generation, .period_ns = 1000000000u / rate}};
    error = wick_writer_create(&session.setup.writer_tid);
    if (error) {
        discard_recording();
        return failed(WICK_RESULT_NO_RESOURCES, error);
    }
    error = wick_ladder_start(&session, options->engine);
    if (error) {
        wick_writer_cancel();
        discard_recording();
        return failed(WICK_RESULT_NO_ENGINE, error);
    }
    error = wick_allocations_start(options, &session.words);
    if (error) {
        wick_allocations_stop(false);
        session.engine->stop();
        wick_signal_give_back(session.engine->signal_number);
        wick_writer_cancel();
        discard_recording();
        return failed(WICK_RESULT_NO_RESOURCES, error);
    }
    error = wick_writer_run(&session);
    if (error) {
        wick_allocations_stop(false);
        session.engine->stop();
        wick_signal_give_back(session.engine->signal_number);
        discard_recording();
        return failed(WICK_RESULT_CANNOT_OPEN, error);
    }
    latest_options = *options;
    latest_pid = getpid();
    strcpy(latest_path, path);
    latest_start_ms = now_ms();
    latest_status = (wick_status){
        .is_streamed = stream, .rate_hz = rate, .engine = session.engine->name,
        .allocation_interval = options->allocation_interval};
    return WICK_RESULT_OK;
}

static wick_result start_for(const wick_options *options, const stream_target *stream) {
    pthread_mutex_lock(&lifecycle);
    wick_result result = start_locked(options, stream);
    int error = errno;
    pthread_mutex_unlock(&lifecycle);
    errno = error;
    return result;
}

static wick_result start_here(const wick_options *options) {
    return start_for(options, NULL);
}

static bool stop_locked(wick_end_reason reason) {
    bool running = wick_writer_is_running();
    if (running) {
        wick_writer_stop(reason);
    }
    if (reason == WICK_END_EXEC) {
        wick_signals_hand_on();
    } else if (reason == WICK_END_STOPPED && !wick_writer_is_running()) {
        wick_signal_give_back(SIGTRAP);
        wick_signal_give_back(SIGPROF);
    }
    return running;
}

static wick_result stop_for(wick_end_reason reason) {
    pthread_mutex_lock(&lifecycle);
    bool running = stop_locked(reason);
    pthread_mutex_unlock(&lifecycle);
    wick_control_close_after_recording();
    return running ? WICK_RESULT_OK : WICK_RESULT_NOT_RUNNING;
}

static wick_result stop_here(void) {
    return stop_for(WICK_END_STOPPED);
}

wick_result wick_start(const wick_options *options) {
    return the_agent()->start(options);
}

wick_result wick_stop(void) {
    return the_agent()->stop();
}

bool wick_is_running(void) {
    return the_agent()->is_running();
}

static wick_result set_allocation_interval_here(uint64_t bytes) {
    if (bytes > WICK_ALLOCATION_MAXIMUM_BYTES) {
        return failed(WICK_RESULT_BAD_OPTION, EINVAL);
    }
    pthread_mutex_lock(&lifecycle);
    wick_result result = WICK_RESULT_NOT_RUNNING;
    int error = 0;
    if (wick_writer_is_running()) {
        error = wick_allocations_switch(bytes);
        result = error == ECANCELED ? WICK_RESULT_NOT_RUNNING
                 : error            ? WICK_RESULT_NO_RESOURCES
                                    : WICK_RESULT_OK;
        if (!error) {
            latest_options.allocation_interval = latest_status.allocation_interval = bytes;
        }
    }
    pthread_mutex_unlock(&lifecycle);
    return error ? failed(result, error) : result;
}

wick_result wick_set_allocation_interval(uint64_t bytes) {
    return the_agent()->set_allocation_interval(bytes);
}

// MARK: control

wick_result wick_agent_record(const wick_options *options, const int *sockets,
                              const char *const *greetings, size_t count) {
    return start_for(options, &(stream_target){sockets, greetings, count});
}

wick_result wick_agent_stop(void) {
    return stop_for(WICK_END_STOPPED);
}

wick_status wick_agent_status(void) {
    pthread_mutex_lock(&lifecycle);
    wick_status status = latest_status;
    status.is_recording = wick_writer_is_running();
    status.elapsed_ms = status.is_recording ? now_ms() - latest_start_ms : 0;
    pthread_mutex_unlock(&lifecycle);
    status.engine = status.engine ? status.engine : "none";
    wick_drain_totals(&status.samples, &status.lost, &status.threads);
    return status;
}

static int serve_here(void) {
    watch_forks();
    return wick_control_connect();
}

/// Called on a thread of the host by whoever brought this library into the process: opens the control
/// socket and returns a connection to it, or a negative errno. Needs little stack and time.
__attribute__((visibility("default"))) int wick_agent_serve(void) {
    int error = errno;
    int connection = the_agent()->serve();
    errno = error;
    return connection;
}

/// Called on the same thread as wick_agent_serve, with all signals blocked, before it goes back to the
/// system call that it came from. Ticks of a recording that has begun meanwhile would be handled there,
/// and after a handler the kernel does not go on with a sleep but ends it with EINTR.
__attribute__((visibility("default"))) void wick_agent_drop_ticks(void) {
    const uint64_t ticks = UINT64_C(1) << (SIGTRAP - 1) | UINT64_C(1) << (SIGPROF - 1);
    enum { KERNEL_SIGSET_BYTES = 8, FOREIGN_LIMIT = 2 };
    siginfo_t foreign[FOREIGN_LIMIT];
    int foreign_count = 0;
    struct timespec no_time = {};
    while (foreign_count < FOREIGN_LIMIT) {
        siginfo_t *info = &foreign[foreign_count];
        long number = wick_raw_syscall6(SYS_rt_sigtimedwait, (long)&ticks, (long)info,
                                        (long)&no_time, KERNEL_SIGSET_BYTES, 0, 0);
        if (number < 0) {
            break;
        }
        foreign_count += !wick_handler_is_own((int)number, info);
    }
    // The host's own come back as they were.
    for (int i = 0; i < foreign_count; i++) {
        wick_raw_syscall6(SYS_rt_tgsigqueueinfo, getpid(),
                          wick_raw_syscall6(SYS_gettid, 0, 0, 0, 0, 0, 0), foreign[i].si_signo,
                          (long)&foreign[i], 0, 0);
    }
}

// MARK: exec

bool wick_agent_close(wick_end_reason reason) {
    if (reason == WICK_END_EXITED) {
        wick_control_remove_path();
    }
    // A vfork's child shares our memory but is not the process that records. A handler of the
    // host's may call us while another call holds the lock: then nothing is paused.
    if (!wick_writer_is_running() || getpid() != latest_pid ||
        pthread_mutex_trylock(&lifecycle) != 0) {
        return false;
    }
    bool running = stop_locked(reason);
    pthread_mutex_unlock(&lifecycle);
    return running;
}

void wick_agent_resume_after_exec(void) {
    int error = errno;
    if (!latest_path[0]) {
        return;  // It went to somebody who has seen its end.
    }
    wick_options options = latest_options;
    options.output = latest_path;
    start_here(&options);
    errno = error;
}

// MARK: by environment

/// The only words that the agent ever says: why it does not do what WICK asks for.
static void complain(const char *what, int error) {
    char text[256];
    int size = error ? snprintf(text, sizeof(text), "wick: not recording: %s: %s\n", what,
                                strerrordesc_np(error) ? strerrordesc_np(error) : "unknown error")
                     : snprintf(text, sizeof(text), "wick: not recording: %s\n", what);
    if (size > 0 && write(STDERR_FILENO, text, (size_t)size) < 0) {
        return;
    }
}

static void start_from(const wick_config *config) {
    if (config->idle) {
        watch_forks();
        int error = wick_control_open(WICK_CONTROL_IDLE);
        if (error) {
            complain("cannot wait for 'wick attach'", error);
        }
        return;
    }
    wick_result result = start_here(&config->options);
    int error = errno;
    if (result != WICK_RESULT_OK && result != WICK_RESULT_ALREADY_RUNNING) {
        // Allocations have been followed since the first instruction.
        wick_allocations_stop(false);
    }
    switch (result) {
    case WICK_RESULT_OK:
    case WICK_RESULT_ALREADY_RUNNING:
    case WICK_RESULT_NOT_RUNNING:
        break;
    case WICK_RESULT_BAD_OPTION:
        complain("hz in WICK must be 1 to 10000", 0);
        break;
    case WICK_RESULT_CANNOT_OPEN:
        complain("cannot create the recording", error);
        break;
    case WICK_RESULT_NO_ENGINE:
        complain("no way to sample works here", error);
        break;
    case WICK_RESULT_NO_RESOURCES:
        complain("no memory or no thread to be had", error);
        break;
    }
}

/// The place of WICK in the environment; NULL if it is unset. Not getenv and unsetenv: shells have
/// functions of their own by these names.
static char **find_variable(void) {
    for (char **entry = environ; entry && *entry; entry++) {
        if (strncmp(*entry, "WICK=", 5) == 0) {
            return entry;
        }
    }
    return NULL;
}

/// Reads WICK; false if it is unset or cannot be understood (which is said).
static bool read_environment(wick_config *config) {
    char **variable = find_variable();
    const char *text = variable ? *variable + strlen("WICK=") : "";
    if (!text[0] || strcmp(text, "off") == 0 || strcmp(text, "0") == 0) {
        return false;
    }
    if (!wick_config_parse(text, config)) {
        complain("cannot understand WICK; like WICK=out=FILE,hz=99,engine=auto", 0);
        return false;
    }
    if (!config->children) {
        do {
            variable[0] = variable[1];
        } while (*variable++);
    }
    return true;
}

/// Not inlined: the big struct on the stack would keep main from being called as a tail call.
__attribute__((noinline)) static void start_from_environment(void) {
    wick_config config;
    if (read_environment(&config)) {
        start_from(&config);
    }
}

#ifdef WICK_PRELOAD

static int (*host_main)(int, char **, char **);

#ifdef WICK_INTERPOSE
/// Before any constructor: what they allocate is followed. The recording begins when they are done.
void wick_agent_begin_early(void) {
    char **variable = find_variable();
    wick_config config;
    if (variable && wick_config_parse(*variable + strlen("WICK="), &config) && !config.idle) {
        wick_allocations_start_early(&config.options);
    }
}
#endif

bool wick_agent_is_guest(void) {
    return !host_main;
}

/// Runs when all constructors of the program have: what they take (the Swift runtime's SIGTRAP
/// handler) is taken by then and can be passed on to.
static int main_after_start(int argc, char **argv, char **environment) {
    start_from_environment();
    return host_main(argc, argv, environment);
}

typedef int start_main(int (*main)(int, char **, char **), int argc, char **argv,
                       void (*init)(void), void (*fini)(void), void (*loader_fini)(void),
                       void *stack_end);

__attribute__((visibility("default"))) start_main __libc_start_main;

/// Stands before glibc's function of this name, which the program's entry calls.
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
                      void (*init)(void), void (*fini)(void), void (*loader_fini)(void),
                      void *stack_end) {
    start_main *real = (start_main *)dlsym(RTLD_NEXT, "__libc_start_main");
    host_main = main;
    return real(main_after_start, argc, argv, init, fini, loader_fini, stack_end);
}

#else

bool wick_agent_is_guest(void) {
    return false;
}

enum { SETTLE_MS = 20 };

static void *start_when_settled(void *unused) {
    (void)unused;
    // Constructors of a statically linked runtime may run after ours and take SIGTRAP; they are
    // done within microseconds, and main cannot be waited for.
    struct timespec settle = {.tv_nsec = SETTLE_MS * 1000000};
    nanosleep(&settle, NULL);
    start_from_environment();
    return NULL;
}

/// In a program that links the agent. Without WICK it costs one look at the environment.
__attribute__((constructor)) static void start_linked(void) {
    if (!find_variable() || the_agent() != &here) {
        return;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    if (pthread_create(&thread, NULL, start_when_settled, NULL) == 0) {
        pthread_detach(thread);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

#endif

/// At exit: what the rings still hold is written.
__attribute__((destructor)) static void stop_at_exit(void) {
    stop_for(WICK_END_EXITED);
    wick_control_remove_path();
}
