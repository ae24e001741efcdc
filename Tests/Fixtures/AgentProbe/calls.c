// System calls that a signal could cut short: what the host sees of it.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

/// One kind of call that waits `milliseconds`, and how often it was cut short. `returned` counts
/// the calls, `interrupted` those with EINTR, `early` those that came back before their time.
typedef struct {
    const char *name;
    int (*wait)(int milliseconds);
    long returned, interrupted, early;
} waiting_call;

static struct timespec interval(int milliseconds) {
    return (struct timespec){.tv_sec = milliseconds / 1000,
                             .tv_nsec = milliseconds % 1000 * 1000000L};
}

static int wait_by_nanosleep(int milliseconds) {
    struct timespec time = interval(milliseconds);
    return nanosleep(&time, NULL);
}

static int wait_by_usleep(int milliseconds) {
    return usleep((useconds_t)milliseconds * 1000);
}

static int wait_by_poll(int milliseconds) {
    return poll(NULL, 0, milliseconds);
}

static int wait_by_select(int milliseconds) {
    struct timeval time = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
    return select(0, NULL, NULL, NULL, &time);
}

static int wait_by_epoll(int milliseconds) {
    static _Thread_local int descriptor = -1;
    if (descriptor < 0) {
        descriptor = epoll_create1(EPOLL_CLOEXEC);
    }
    struct epoll_event event;
    return epoll_wait(descriptor, &event, 1, milliseconds);
}

static int wait_by_receive(int milliseconds) {
    static _Thread_local int sockets[2] = {-1, -1};
    if (sockets[0] < 0) {
        struct timeval time = {.tv_sec = milliseconds / 1000,
                               .tv_usec = milliseconds % 1000 * 1000};
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0 ||
            setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) != 0) {
            abort();
        }
    }
    char byte;
    ssize_t got = recv(sockets[0], &byte, 1, 0);
    return got < 0 && errno == EAGAIN ? 0 : -1;
}

static int wait_by_semaphore(int milliseconds) {
    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += milliseconds * 1000000L;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    return sem_timedwait(&semaphore, &end) < 0 && errno == ETIMEDOUT ? 0 : -1;
}

static int rounds, milliseconds_each;
static double work_between;

static void *wait_often(void *context) {
    waiting_call *call = context;
    for (int i = 0; i < rounds; i++) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        errno = 0;
        int result = call->wait(milliseconds_each);
        int error = errno;
        clock_gettime(CLOCK_MONOTONIC, &after);
        double waited = (double)(after.tv_sec - before.tv_sec) * 1e3 +
                        (double)(after.tv_nsec - before.tv_nsec) * 1e-6;
        call->returned++;
        call->interrupted += result < 0 && error == EINTR;
        // The kernel rounds times to its ticks where it has no better.
        call->early += waited < milliseconds_each - 1;
        if (work_between > 0) {
            burn(work_between);
        }
    }
    return NULL;
}

static atomic_bool is_over;

/// Works with all signals blocked, so that whoever is chosen for a signal is another thread.
static void *burn_blocked(void *unused) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    while (!is_over) {
        burn(0.005);
    }
    return unused;
}

/// Runs all kinds of calls side by side. `waiting ROUNDS MILLISECONDS MICROSECONDS`: so many calls
/// of so long each, with so much work after each. Prints what was cut short; 1 if any was.
static int waiting(char **arguments) {
    rounds = atoi(arguments[0]);
    milliseconds_each = atoi(arguments[1]);
    work_between = atof(arguments[2]) * 1e-6;
    waiting_call calls[] = {
        {"nanosleep", wait_by_nanosleep, 0, 0, 0}, {"usleep", wait_by_usleep, 0, 0, 0},
        {"poll", wait_by_poll, 0, 0, 0},           {"select", wait_by_select, 0, 0, 0},
        {"epoll_wait", wait_by_epoll, 0, 0, 0},    {"recv", wait_by_receive, 0, 0, 0},
        {"sem_timedwait", wait_by_semaphore, 0, 0, 0}};
    enum { COUNT = sizeof(calls) / sizeof(calls[0]) };
    pthread_t threads[COUNT], burner;
    if (pthread_create(&burner, NULL, burn_blocked, NULL) != 0) {
        return 1;
    }
    for (int i = 0; i < COUNT; i++) {
        if (pthread_create(&threads[i], NULL, wait_often, &calls[i]) != 0) {
            return 1;
        }
    }
    int result = 0;
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
        const waiting_call *call = &calls[i];
        if (call->interrupted || call->early) {
            printf("%s: %ld of %ld interrupted, %ld early\n", call->name, call->interrupted,
                   call->returned, call->early);
            result = 1;
        }
    }
    is_over = true;
    pthread_join(burner, NULL);
    return result;
}

/// Calls that work long in the kernel: each does all of what was asked, in one piece.
static int long_calls(char **arguments) {
    (void)arguments;
    enum { BYTES = 48 << 20, ROUNDS = 12 };
    char path[] = "/tmp/wick-probe-XXXXXX";
    int file = mkstemp(path);
    unlink(path);
    char *bytes = malloc(BYTES);
    memset(bytes, 7, BYTES);
    for (int i = 0; i < ROUNDS; i++) {
        ssize_t written = pwrite(file, bytes, BYTES, 0);
        if (written != BYTES) {
            return complain("bytes written", written, BYTES);
        }
        ssize_t read = pread(file, bytes, BYTES, 0);
        if (read != BYTES) {
            return complain("bytes read", read, BYTES);
        }
        char *mapped = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (mapped == MAP_FAILED || madvise(mapped, BYTES, MADV_DONTNEED) != 0 ||
            munmap(mapped, BYTES) != 0) {
            return complain("errno of a mapping", errno, 0);
        }
    }
    free(bytes);
    return 0;
}

static void *feed(void *context) {
    static char bytes[1 << 20];
    int out = *(int *)context;
    for (int i = 0; i < 400; i++) {
        if (write(out, bytes, sizeof(bytes)) != sizeof(bytes)) {
            close(out);
            return context;
        }
    }
    close(out);
    return NULL;
}

/// A pipe between two threads: its calls wait and work by turns, and are restarted.
static int pipe_calls(char **arguments) {
    (void)arguments;
    int ends[2];
    pthread_t writer;
    if (pipe(ends) != 0 || pthread_create(&writer, NULL, feed, &ends[1]) != 0) {
        return 1;
    }
    static char bytes[256 << 10];
    long total = 0;
    ssize_t got;
    while ((got = read(ends[0], bytes, sizeof(bytes))) > 0) {
        total += got;
    }
    if (got < 0) {
        return complain("errno of read", errno, 0);
    }
    void *failed;
    pthread_join(writer, &failed);
    return failed || total != 400L << 20 ? complain("bytes through the pipe", total, 400L << 20) : 0;
}

const probe_mode call_modes[] = {
    {"waiting", waiting}, {"long-calls", long_calls}, {"pipe-calls", pipe_calls}, {NULL, NULL}};
