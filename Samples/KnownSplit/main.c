/*
 * A program whose profile is known: three leaf functions take 70, 20 and 10 % of the CPU time of
 * each thread, through 24 levels of calls. At the end it prints, as JSON on standard output, what
 * each thread's own CPU clock says, so that a profile can be compared with the truth.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "schedule.h"

enum { MOST_BUSY_THREADS = 256 };

static const char usage[] =
    "Usage: WickKnownSplit [--seconds S] [--threads N] [--late] [--fork] [--exec]\n"
    "\n"
    "Spends 70/20/10 % of its CPU time in leaf_seventy, leaf_twenty and leaf_ten and prints\n"
    "what each thread's CPU clock measured, as JSON.\n"
    "\n"
    "  --seconds S  how long the threads run (default 3)\n"
    "  --threads N  threads that never sleep (default 2); one more runs 1 ms and sleeps 1 ms\n"
    "  --late       start the threads after 0.5 s\n"
    "  --fork       fork a child that burns CPU in child_burn at the same time\n"
    "  --exec       burn 0.2 s in burn_before_exec, then execute this program anew\n";

struct options {
    double seconds;
    int threads;
    bool late, fork, exec;
};

static double number(const char *text, double least, double most) {
    char *end = NULL;
    double value = text == NULL ? least : strtod(text, &end);
    if (text == NULL || end == text || *end != '\0' || !(value >= least && value <= most)) {
        fprintf(stderr, "WickKnownSplit: not a number from %g to %g: %s\n", least, most,
                text == NULL ? "nothing" : text);
        exit(2);
    }
    return value;
}

static struct options parse(char **argument) {
    struct options options = {.seconds = 3, .threads = 2};
    for (; *argument != NULL; argument++) {
        if (strcmp(*argument, "--seconds") == 0) {
            options.seconds = number(*++argument, 0.01, 3600);
        } else if (strcmp(*argument, "--threads") == 0) {
            options.threads = (int)number(*++argument, 0, MOST_BUSY_THREADS);
        } else if (strcmp(*argument, "--late") == 0) {
            options.late = true;
        } else if (strcmp(*argument, "--fork") == 0) {
            options.fork = true;
        } else if (strcmp(*argument, "--exec") == 0) {
            options.exec = true;
        } else {
            bool help = strcmp(*argument, "--help") == 0;
            fputs(usage, help ? stdout : stderr);
            exit(help ? 0 : 2);
        }
    }
    return options;
}

static void sleep_ns(int64_t ns) {
    struct timespec left = {ns / 1000000000, ns % 1000000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static void die(const char *what, int code) {
    fprintf(stderr, "WickKnownSplit: %s: %s\n", what, strerror(code));
    exit(1);
}

/* The two burners must be told apart in a profile, so neither may be inlined or folded. */
__attribute__((noinline)) static uint64_t child_burn(int64_t end_ns) {
    uint64_t state = 1;
    while (wick_now_ns(CLOCK_MONOTONIC) < end_ns) {
        for (int i = 0; i < 10000; i++) {
            state = state * 2862933555777941757u + 3037000493u;
        }
        __asm__ volatile("" ::"r"(state));
    }
    return state;
}

__attribute__((noinline)) static uint64_t burn_before_exec(int64_t end_ns) {
    uint64_t state = 7;
    while (wick_now_ns(CLOCK_MONOTONIC) < end_ns) {
        for (int i = 0; i < 10000; i++) {
            state = (state ^ state >> 11) * 3935559000370003845u;
        }
        __asm__ volatile("" ::"r"(state));
    }
    return state;
}

/* Executes this file again, without `--exec`. Returns only on failure. */
static void exec_again(char **argv) {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0) {
        die("/proc/self/exe", errno);
    }
    path[length] = '\0';
    char **kept = argv;
    for (char **argument = argv; *argument != NULL; argument++) {
        if (strcmp(*argument, "--exec") != 0) {
            *kept++ = *argument;
        }
    }
    *kept = NULL;
    execv(path, argv);
    die(path, errno);
}

static void print_results(const struct wick_schedule *threads, int count, double seconds) {
    printf("{\n  \"pid\": %d,\n  \"seconds\": %g,\n", getpid(), seconds);
    printf("  \"process_cpu_ns\": %lld,\n", (long long)wick_now_ns(CLOCK_PROCESS_CPUTIME_ID));
    printf("  \"levels\": %d,\n  \"threads\": [\n", WICK_LEVELS);
    for (int i = 0; i < count; i++) {
        printf("    {\"name\": \"%s\", \"tid\": %d, \"cpu_ns\": %llu, \"leaf_cpu_ns\": {",
               threads[i].name, threads[i].tid, (unsigned long long)threads[i].cpu_ns);
        for (int leaf = 0; leaf < WICK_LEAVES; leaf++) {
            printf("%s\"%s\": %llu", leaf == 0 ? "" : ", ", wick_leaves[leaf].name,
                   (unsigned long long)threads[i].leaf_ns[leaf]);
        }
        printf("}}%s\n", i + 1 < count ? "," : "");
    }
    printf("  ]\n}\n");
}

int main(int argc, char **argv) {
    (void)argc;
    struct options options = parse(argv + 1);
    if (options.exec) {
        burn_before_exec(wick_now_ns(CLOCK_MONOTONIC) + 200000000);
        exec_again(argv);
    }
    int64_t run_ns = (int64_t)(options.seconds * 1e9);
    pid_t child = 0;
    if (options.fork) {
        child = fork();
        if (child < 0) {
            die("fork", errno);
        }
        if (child == 0) {
            child_burn(wick_now_ns(CLOCK_MONOTONIC) + run_ns);
            _exit(0);
        }
    }
    if (options.late) {
        sleep_ns(500000000);
    }
    static struct wick_schedule schedules[MOST_BUSY_THREADS + 1];
    static char names[MOST_BUSY_THREADS][16];
    static pthread_t threads[MOST_BUSY_THREADS + 1];
    int count = options.threads + 1;
    int64_t end_ns = wick_now_ns(CLOCK_MONOTONIC) + run_ns;
    for (int i = 0; i < count; i++) {
        bool bursts = i == options.threads;
        if (!bursts) {
            snprintf(names[i], sizeof names[i], "split-busy-%d", i);
        }
        schedules[i] = (struct wick_schedule){
            .name = bursts ? "split-bursts" : names[i],
            .burst_ns = bursts ? 1000000 : 0,
            .end_ns = end_ns,
        };
        int code = pthread_create(&threads[i], NULL, wick_run_schedule, &schedules[i]);
        if (code != 0) {
            die("pthread_create", code);
        }
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    if (child != 0) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    print_results(schedules, count, options.seconds);
    return fflush(stdout) == 0 ? 0 : 1;
}
