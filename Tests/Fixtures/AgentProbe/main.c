// A host with habits that an agent could disturb. `WickAgentProbe MODE` exits with 0 if all is as
// it would be without an agent; see the modes at the end.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double thread_cpu(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

__attribute__((noinline)) static uint64_t burn_leaf(uint64_t rounds) {
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        sum += i * i;
    }
    return sum;
}

__attribute__((noinline)) static void burn(double seconds) {
    double end = thread_cpu() + seconds;
    while (thread_cpu() < end) {
        burn_leaf(20000);
    }
}

static void *burn_in_thread(void *seconds) {
    burn(*(double *)seconds);
    return NULL;
}

/// errno survives every sample.
static int keep_errno(void) {
    double end = thread_cpu() + 1;
    while (thread_cpu() < end) {
        errno = 4711;
        burn_leaf(20000);
        if (errno != 4711) {
            return 1;
        }
    }
    return 0;
}

/// The child of a fork burns five times what the parent does.
static int fork_child(void) {
    pid_t child = fork();
    if (child == 0) {
        burn(1.5);
        _exit(7);
    }
    burn(0.3);
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return 1;
    }
    return WEXITSTATUS(status) == 7 ? 0 : 1;
}

/// Many forks while sampled: none hangs, none fails.
static int fork_loop(void) {
    for (int i = 0; i < 200; i++) {
        pid_t child = fork();
        if (child == 0) {
            _exit(3);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 3) {
            return 1;
        }
        burn(0.002);
    }
    return 0;
}

/// This process becomes another image, which burns again.
static int exec_self(char *self) {
    burn(0.3);
    execl(self, self, "burn", NULL);
    return 1;
}

/// A spawned child burns; it is a program of its own.
static int spawn_child(char *self) {
    char *arguments[] = {self, "burn", NULL};
    pid_t child;
    if (posix_spawn(&child, self, NULL, NULL, arguments, environ) != 0) {
        return 1;
    }
    burn(0.3);
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/// Threads that live for less than a second, one after the other and side by side.
static int churn(void) {
    double seconds = 0.004;
    for (int round = 0; round < 60; round++) {
        pthread_t threads[8];
        for (int i = 0; i < 8; i++) {
            if (pthread_create(&threads[i], NULL, burn_in_thread, &seconds) != 0) {
                return 1;
            }
        }
        for (int i = 0; i < 8; i++) {
            pthread_join(threads[i], NULL);
        }
    }
    return 0;
}

/// 300 threads at once.
static int many_threads(void) {
    enum { COUNT = 300 };
    static pthread_t threads[COUNT];
    double seconds = 0.01;
    for (int i = 0; i < COUNT; i++) {
        if (pthread_create(&threads[i], NULL, burn_in_thread, &seconds) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
    }
    return 0;
}

static volatile sig_atomic_t prof_count, trap_count;

static void count_prof(int number) {
    (void)number;
    prof_count = prof_count + 1;
}

static void count_trap(int number) {
    (void)number;
    trap_count = trap_count + 1;
}

__attribute__((constructor)) static void take_signals_early(void) {
    if (getenv("WICK_PROBE_SIGNALS")) {
        signal(SIGPROF, count_prof);
        signal(SIGTRAP, count_trap);
    }
}

/// The host's own handlers of our signals keep working, and see nothing of ours.
static int own_handlers(void) {
    for (int i = 0; i < 50; i++) {
        raise(SIGPROF);
        raise(SIGTRAP);
        burn(0.005);
    }
    return prof_count == 50 && trap_count == 50 ? 0 : 1;
}

/// Handlers that the host sets while it is sampled, as crash reporters do: they get what is theirs,
/// none of ours, and the host is told of its own handler when it asks.
static int late_handlers(void) {
    burn(0.1);
    struct sigaction action = {.sa_handler = count_trap}, asked;
    if (signal(SIGPROF, count_prof) == SIG_ERR || sigaction(SIGTRAP, &action, NULL) != 0) {
        return 1;
    }
    for (int i = 0; i < 50; i++) {
        raise(SIGPROF);
        raise(SIGTRAP);
        burn(0.005);
    }
    return prof_count == 50 && trap_count == 50 && sigaction(SIGTRAP, NULL, &asked) == 0 &&
                   asked.sa_handler == count_trap
               ? 0
               : 1;
}

static uint8_t other_stack[64 << 10];

static void burn_on_signal(int number) {
    (void)number;
    burn(0.5);
}

/// Sampled while on a signal stack, whose bounds nobody told the agent.
static int signal_stack(void) {
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)};
    struct sigaction action = {.sa_handler = burn_on_signal, .sa_flags = SA_ONSTACK};
    if (sigaltstack(&stack, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0) {
        return 1;
    }
    raise(SIGUSR1);
    return 0;
}

/// Threads with the smallest stacks that the system allows.
static int small_stacks(void) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, 16 << 10) != 0) {
        return 1;
    }
    double seconds = 0.1;
    for (int i = 0; i < 8; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, burn_in_thread, &seconds) != 0) {
            return 1;
        }
        pthread_join(thread, NULL);
    }
    return 0;
}

/// Deeper than what the agent keeps.
__attribute__((noinline)) static int recurse(int depth) {
    if (depth == 0) {
        burn(0.3);
        return 0;
    }
    return recurse(depth - 1) + (depth & 0);
}

/// Closes every descriptor from 3 on, as daemons do, and goes on.
static int close_all(void) {
    burn(0.2);
    for (int i = 3; i < 1100; i++) {
        close(i);
    }
    char path[] = "/tmp/wick-probe-XXXXXX";
    int mine = mkstemp(path);
    unlink(path);
    // Every low number is taken by one file of the host's, which stays empty.
    for (int i = mine + 1; i < 1000; i++) {
        dup2(mine, i);
    }
    burn(0.5);
    return lseek(mine, 0, SEEK_END) == 0 ? 0 : 1;
}

/// Becomes the rest of the command line in a world where perf_event_open is denied, as a container
/// does it.
static int deny_perf(char **argv) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        return 1;
    }
    argv[1] = argv[0];
    execv("/proc/self/exe", argv + 1);
    return 1;
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "burn") == 0) {
        burn(argc > 2 ? atof(argv[2]) : 0.3);
        return 0;
    }
    if (strcmp(mode, "hard-exit") == 0) {
        burn(0.3);
        _exit(9);
    }
    if (strcmp(mode, "forever") == 0) {
        burn(3600);
        return 0;
    }
    if (strcmp(mode, "exec") == 0) {
        return exec_self(argv[0]);
    }
    if (strcmp(mode, "spawn") == 0) {
        return spawn_child(argv[0]);
    }
    if (strcmp(mode, "without-perf") == 0) {
        return deny_perf(argv);
    }
    if (strcmp(mode, "deep") == 0) {
        return recurse(10000);
    }
    if (strcmp(mode, "exit") == 0) {
        return argc > 2 ? atoi(argv[2]) : 0;
    }
    static const struct {
        const char *name;
        int (*run)(void);
    } modes[] = {{"errno", keep_errno},         {"fork", fork_child},
                 {"fork-loop", fork_loop},      {"churn", churn},
                 {"many-threads", many_threads}, {"own-handlers", own_handlers},
                 {"late-handlers", late_handlers},
                 {"signal-stack", signal_stack}, {"small-stacks", small_stacks},
                 {"close-all", close_all}};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(mode, modes[i].name) == 0) {
            return modes[i].run();
        }
    }
    fprintf(stderr, "usage: %s MODE\n", argv[0]);
    return 2;
}
