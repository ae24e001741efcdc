// A host that links the agent and starts and stops it itself, among many threads.
//
//   WickLinkedProbe restart ENGINE COUNT FILE    so many recordings while threads come and go
//   WickLinkedProbe crowd ENGINE COUNT FILE      one recording, begun when COUNT threads are there,
//                                                of which every twentieth has 6 ms of work
//   WickLinkedProbe forked ENGINE FILE           one in a fork's child, whose parent records too
//
// ENGINE is a number of wick_engine_choice. Exits with 0 if all went well and nothing was left
// behind; says on standard output what was.
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "wick_agent.h"

static double thread_cpu(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void burn(double seconds) {
    double end = thread_cpu() + seconds;
    volatile unsigned sum = 0;
    while (thread_cpu() < end) {
        for (unsigned i = 0; i < 1000; i++) {
            sum = sum + i;
        }
    }
}

static int complain(const char *what, long found, long expected) {
    printf("%s: %ld, not %ld\n", what, found, expected);
    return 1;
}

// MARK: what a recording may leave behind

typedef struct {
    int descriptors, threads, timers;
    unsigned long caught, ignored;
} traces;

static int entries(const char *path) {
    DIR *folder = opendir(path);
    int count = 0;
    while (folder && readdir(folder)) {
        count++;
    }
    if (folder) {
        closedir(folder);
    }
    return count;
}

static traces look_around(void) {
    traces seen = {.descriptors = entries("/proc/self/fd"), .threads = entries("/proc/self/task")};
    char line[256];
    FILE *timers = fopen("/proc/self/timers", "r");
    while (timers && fgets(line, sizeof(line), timers)) {
        seen.timers += strncmp(line, "ID:", 3) == 0;
    }
    if (timers) {
        fclose(timers);
    }
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof(line), status)) {
        sscanf(line, "SigCgt: %lx", &seen.caught);
        sscanf(line, "SigIgn: %lx", &seen.ignored);
    }
    if (status) {
        fclose(status);
    }
    return seen;
}

/// What is there once the threads that are about to leave have left: one that was joined, or the
/// agent's, may need a moment to leave /proc.
static traces look_around_settled(void) {
    enum { CALM_LOOKS = 20, LOOKS = 1000 };
    traces last = look_around();
    for (int look = 0, calm = 0; look < LOOKS && calm < CALM_LOOKS; look++) {
        usleep(10000);
        traces next = look_around();
        calm = next.threads == last.threads ? calm + 1 : 0;
        last = next;
    }
    return last;
}

static int compare(traces before) {
    traces after = look_around_settled();
    int wrong = 0;
    if (after.descriptors != before.descriptors) {
        wrong |= complain("descriptors", after.descriptors, before.descriptors);
    }
    if (after.threads != before.threads) {
        wrong |= complain("threads", after.threads, before.threads);
    }
    if (after.timers != before.timers) {
        wrong |= complain("timers", after.timers, before.timers);
    }
    if (after.caught != before.caught || after.ignored != before.ignored) {
        wrong |= complain("caught signals", (long)after.caught, (long)before.caught);
    }
    return wrong;
}

// MARK: restart

static atomic_bool is_over;
static atomic_long made;

static void *busy(void *unused) {
    while (!is_over) {
        burn(0.001);
    }
    return unused;
}

static void *short_lived(void *unused) {
    burn(0.00005);
    return unused;
}

static void *make_threads(void *unused) {
    while (!is_over) {
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) {
            if (pthread_create(&threads[i], NULL, short_lived, NULL) != 0) {
                abort();
            }
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
        }
        made += 4;
    }
    return unused;
}

static int record_once(const wick_options *options) {
    wick_result result = wick_start(options);
    if (result != WICK_RESULT_OK) {
        return complain("result of a start", result, WICK_RESULT_OK);
    }
    burn(0.0005);
    result = wick_stop();
    return result == WICK_RESULT_OK ? 0 : complain("result of a stop", result, WICK_RESULT_OK);
}

static int restart(const wick_options *options, int count) {
    // The first one maps what stays.
    if (record_once(options)) {
        return 1;
    }
    traces before = look_around_settled();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        if (pthread_create(&threads[i], NULL, i < 2 ? busy : make_threads, NULL) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < count; i++) {
        if (record_once(options)) {
            return 1;
        }
    }
    is_over = true;
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    // Signals that were on their way have arrived.
    burn(0.02);
    if (record_once(options)) {
        return 1;
    }
    printf("%ld threads meanwhile\n", made);
    return compare(before);
}

// MARK: crowd

static sem_t turns;
static atomic_int waiting;

/// Burns so many nanoseconds once it is this thread's turn.
static void *wait_for_turn(void *nanoseconds) {
    waiting++;
    sem_wait(&turns);
    burn((double)(intptr_t)nanoseconds * 1e-9);
    sem_post(&turns);
    return NULL;
}

static int crowd(const wick_options *options, int count) {
    enum { DESCRIPTOR_LIMIT = 2048, IDLERS_PER_WORKER = 19, WORK_NANOSECONDS = 6000000 };
    struct rlimit limit = {DESCRIPTOR_LIMIT, DESCRIPTOR_LIMIT};
    setrlimit(RLIMIT_NOFILE, &limit);
    sem_init(&turns, 0, 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 32 << 10);
    pthread_t *threads = calloc((size_t)count, sizeof(*threads));
    for (int i = 0; i < count; i++) {
        intptr_t work = i % (IDLERS_PER_WORKER + 1) == 0 ? WORK_NANOSECONDS : 0;
        int error = pthread_create(&threads[i], &attributes, wait_for_turn, (void *)work);
        if (error) {
            printf("no more than %d threads: %s\n", i, strerror(error));
            return 77;
        }
    }
    while (waiting < count) {
        usleep(1000);
    }
    int before = entries("/proc/self/fd");
    wick_result result = wick_start(options);
    if (result != WICK_RESULT_OK) {
        return complain("result of a start", result, WICK_RESULT_OK);
    }
    int during = entries("/proc/self/fd");
    sem_post(&turns);
    sem_post(&turns);
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    wick_stop();
    int after = entries("/proc/self/fd");
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"limit\": %d, \"before\": %d, \"during\": %d, \"after\": %d, \"peakKilobytes\": %ld}\n",
           DESCRIPTOR_LIMIT, before, during, after, usage.ru_maxrss);
    return 0;
}

// MARK: forked

static int forked(const wick_options *options) {
    if (wick_start(options) != WICK_RESULT_OK) {
        return 1;
    }
    burn(0.2);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        if (wick_is_running() || wick_start(options) != WICK_RESULT_OK) {
            _exit(2);
        }
        burn(0.3);
        exit(wick_stop() == WICK_RESULT_OK ? 3 : 4);
    }
    burn(0.2);
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 3) {
        return complain("status of the child that records", status, 3 << 8);
    }
    return wick_stop() == WICK_RESULT_OK ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "restart") == 0) {
        wick_options options = {.output = argv[4], .rate_hz = 4999,
                                .engine = (wick_engine_choice)atoi(argv[2])};
        return restart(&options, atoi(argv[3]));
    }
    if (argc == 5 && strcmp(argv[1], "crowd") == 0) {
        wick_options options = {.output = argv[4], .rate_hz = 997,
                                .engine = (wick_engine_choice)atoi(argv[2])};
        return crowd(&options, atoi(argv[3]));
    }
    if (argc == 4 && strcmp(argv[1], "forked") == 0) {
        wick_options options = {.output = argv[3], .rate_hz = 997,
                                .engine = (wick_engine_choice)atoi(argv[2])};
        return forked(&options);
    }
    fprintf(stderr, "usage: %s restart|crowd|forked …\n", argv[0]);
    return 2;
}
