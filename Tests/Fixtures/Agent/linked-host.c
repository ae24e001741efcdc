// A program that links the agent.
//
//   linked-host exec COUNT ENGINE FILE       records at 10 kHz and becomes itself, COUNT times
//   linked-host compare ENGINE THREADS ACTION FILE
//                                            records once beside THREADS idle and busy threads, with
//                                            SIGPROF and SIGTRAP default, ignore or handle before;
//                                            prints what is not as it was before
//   linked-host late FILE                    stops while a thread sleeps in a system call in which
//                                            ticks came, and wakes it afterwards
//   linked-host switch FILE                  switches allocations on all the time while recordings
//                                            end by themselves; prints how many left hooks behind
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "wick_agent.h"

static void burn(double seconds) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    double end = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec + seconds;
    do {
        for (volatile int i = 0; i < 1000; i++) {
        }
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while ((double)now.tv_sec + 1e-9 * (double)now.tv_nsec < end);
}

static void start(const char *engine, const char *file) {
    wick_options options = {.output = file,
                            .rate_hz = WICK_RATE_MAXIMUM_HZ,
                            .engine = (wick_engine_choice)atoi(engine)};
    wick_result result = wick_start(&options);
    if (result != WICK_RESULT_OK) {
        fprintf(stderr, "cannot start: %d\n", (int)result);
        exit(3);
    }
}

// MARK: exec

static int become(char **arguments) {
    int count = atoi(arguments[2]);
    if (count == 0) {
        puts("done");
        return 0;
    }
    start(arguments[3], arguments[4]);
    burn(0.002);
    char next[16];
    snprintf(next, sizeof(next), "%d", count - 1);
    char *words[] = {arguments[0], arguments[1], next, arguments[3], arguments[4], NULL};
    switch (count % 3) {
    case 0: execv("/proc/self/exe", words); break;
    case 1: execvp("/proc/self/exe", words); break;
    default: execl("/proc/self/exe", words[0], words[1], words[2], words[3], words[4], NULL);
    }
    perror("exec");
    return 1;
}

// MARK: compare

typedef struct {
    unsigned long long caught, ignored, blocked;
    unsigned descriptors, threads, timers;
    struct itimerval interval;
} state;

static unsigned long long mask(const char *text, const char *key) {
    const char *line = strstr(text, key);
    return line ? strtoull(line + strlen(key), NULL, 16) : 0;
}

static unsigned count_in(const char *folder) {
    unsigned count = 0;
    DIR *open = opendir(folder);
    for (struct dirent *entry; (entry = readdir(open));) {
        count += entry->d_name[0] != '.';
    }
    closedir(open);
    return count;
}

static size_t read_file(const char *path, char *text, size_t byte_count) {
    int file = open(path, O_RDONLY);
    ssize_t length = file < 0 ? 0 : read(file, text, byte_count - 1);
    close(file);
    text[length > 0 ? length : 0] = 0;
    return length > 0 ? (size_t)length : 0;
}

static state look(void) {
    static char text[16384];
    state state = {.descriptors = count_in("/proc/self/fd"), .threads = count_in("/proc/self/task")};
    read_file("/proc/self/status", text, sizeof(text));
    // Signals 32 and 33 are libc's own, taken when a process makes its first thread.
    state.caught = mask(text, "SigCgt:") & ~0x180000000ull;
    state.ignored = mask(text, "SigIgn:") & ~0x180000000ull;
    state.blocked = mask(text, "SigBlk:");
    read_file("/proc/self/timers", text, sizeof(text));
    for (const char *next = text; (next = strstr(next, "ID: ")); next++) {
        state.timers++;
    }
    getitimer(ITIMER_PROF, &state.interval);
    return state;
}

static void *idle(void *unused) {
    for (;;) {
        pause();
    }
    return unused;
}

static void *busy(void *unused) {
    for (;;) {
        burn(0.01);
    }
    return unused;
}

static volatile sig_atomic_t handled;

static void handle(int number) {
    handled += number;
}

static int compare(char **arguments) {
    int threads = atoi(arguments[3]);
    const char *action = arguments[4];
    void (*handler)(int) = strcmp(action, "ignore") == 0   ? SIG_IGN
                           : strcmp(action, "handle") == 0 ? handle
                                                           : SIG_DFL;
    signal(SIGPROF, handler);
    signal(SIGTRAP, handler);
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, i % 2 ? busy : idle, NULL);
    }
    state before = look();
    start(arguments[2], arguments[5]);
    burn(0.04);
    wick_stop();
    state after = look();
    // The agent's thread has said its last word before it ends.
    for (int i = 0; i < 200 && after.threads != before.threads; i++) {
        usleep(1000);
        after = look();
    }
    printf("caught %llx ignored %llx blocked %llx descriptors %d threads %d timers %d interval %d\n",
           before.caught ^ after.caught, before.ignored ^ after.ignored,
           before.blocked ^ after.blocked, (int)(after.descriptors - before.descriptors),
           (int)(after.threads - before.threads), (int)(after.timers - before.timers),
           memcmp(&before.interval, &after.interval, sizeof(after.interval)) != 0);
    if (handler == handle) {
        raise(SIGPROF);
        raise(SIGTRAP);
        printf("handled %d\n", (int)handled - SIGPROF - SIGTRAP);
    }
    struct sigaction seen;
    sigaction(SIGTRAP, NULL, &seen);
    printf("seen %d\n", seen.sa_handler == handler);
    return 0;
}

// MARK: late

enum { POLLED_COUNT = 4000 };

static int pipes[2];
static _Atomic int polls;

/// Burns time in the kernel, then sleeps there: ticks fall into the call that sleeps.
static void *poll_many(void *unused) {
    static struct pollfd polled[POLLED_COUNT];
    for (int i = 0; i < POLLED_COUNT; i++) {
        polled[i] = (struct pollfd){.fd = pipes[0], .events = POLLIN};
    }
    for (;;) {
        if (poll(polled, POLLED_COUNT, -1) > 0) {
            char byte;
            if (read(pipes[0], &byte, 1) != 1) {
                return unused;
            }
        }
        polls++;
    }
}

static void wake(int times) {
    for (int i = 0; i < times; i++) {
        int seen = polls;
        if (write(pipes[1], "x", 1) != 1) {
            exit(4);
        }
        while (polls == seen) {
            usleep(200);
        }
        usleep(2000);
    }
}

static int be_late(char **arguments) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (pipe(pipes) != 0 || limit.rlim_cur < POLLED_COUNT) {
        return 77;
    }
    pthread_t thread;
    pthread_create(&thread, NULL, poll_many, NULL);
    for (int i = 0; i < 8; i++) {
        start("0", arguments[2]);
        wake(3);
        wick_stop();
        wake(1);
    }
    puts("alive");
    return 0;
}

// MARK: switch

/// What the program's own slot leads to, looked up each time.
[[gnu::noinline]] static uintptr_t slot_of_malloc(void) {
    void *(*found)(size_t) = malloc;
    __asm__ volatile("" : "+r"(found));
    return (uintptr_t)found;
}

static int switch_on(char **arguments) {
    enum { RECORDINGS = 8 };
    int left = 0, hooked = 0;
    uintptr_t before = slot_of_malloc();
    for (int i = 0; i < RECORDINGS; i++) {
        wick_options options = {.output = arguments[2], .duration_ms = 20};
        if (wick_start(&options) != WICK_RESULT_OK) {
            return 3;
        }
        wick_result result;
        do {
            result = wick_set_allocation_interval(1);
            hooked += slot_of_malloc() != before;
        } while (result == WICK_RESULT_OK);
        while (wick_is_running()) {
            usleep(1000);
        }
        left += slot_of_malloc() != before;
    }
    printf("hooked %d left %d\n", hooked > 0, left);
    return 0;
}

int main(int count, char **arguments) {
    if (count == 5 && strcmp(arguments[1], "exec") == 0) {
        return become(arguments);
    }
    if (count == 6 && strcmp(arguments[1], "compare") == 0) {
        return compare(arguments);
    }
    if (count == 3 && strcmp(arguments[1], "late") == 0) {
        return be_late(arguments);
    }
    if (count == 3 && strcmp(arguments[1], "switch") == 0) {
        return switch_on(arguments);
    }
    return 2;
}
