// Other processes: forks of every kind, spawns, other images.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

extern char **environ;

static const char self[] = "/proc/self/exe";

/// The exit code of a child, −1 if it ended otherwise.
static int code_of(pid_t child) {
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : -1;
}

/// The child of a fork burns five times what the parent does.
static int fork_child(char **arguments) {
    (void)arguments;
    pid_t child = fork();
    if (child == 0) {
        burn(1.5);
        _exit(7);
    }
    burn(0.3);
    return code_of(child) == 7 ? 0 : 1;
}

/// Many forks while sampled: none hangs, none fails.
static int fork_loop(char **arguments) {
    (void)arguments;
    for (int i = 0; i < 200; i++) {
        pid_t child = fork();
        if (child == 0) {
            _exit(3);
        }
        if (code_of(child) != 3) {
            return 1;
        }
        burn(0.002);
    }
    return 0;
}

/// Many children by vfork that become another image.
static int vfork_loop(char **arguments) {
    (void)arguments;
    for (int i = 0; i < 100; i++) {
        pid_t child = vfork();
        if (child == 0) {
            execl(self, "probe", "exit", "3", NULL);
            _exit(99);
        }
        int code = code_of(child);
        if (code != 3) {
            return complain("exit code of a vfork's child", code, 3);
        }
        burn(0.002);
    }
    // An exec that fails leaves the parent as it was.
    pid_t child = vfork();
    if (child == 0) {
        execl("/nonexistent", "probe", NULL);
        _exit(4);
    }
    int code = code_of(child);
    burn(0.1);
    return code == 4 ? 0 : complain("exit code after an exec that failed", code, 4);
}

static int spawn_and_wait(char *mode, char *argument) {
    char *arguments[] = {"probe", mode, argument, NULL};
    pid_t child;
    if (posix_spawn(&child, self, NULL, NULL, arguments, environ) != 0) {
        return -1;
    }
    burn(0.002);
    return code_of(child);
}

static int spawn_loop(char **arguments) {
    (void)arguments;
    for (int i = 0; i < 100; i++) {
        int code = spawn_and_wait("exit", "3");
        if (code != 3) {
            return complain("exit code of a spawned child", code, 3);
        }
    }
    return 0;
}

/// A spawned child burns; it is a program of its own.
static int spawn_child(char **arguments) {
    (void)arguments;
    burn(0.3);
    return spawn_and_wait("burn", NULL);
}

/// This process becomes another image, which burns again.
static int exec_self(char **arguments) {
    (void)arguments;
    burn(0.3);
    execl(self, "probe", "burn", NULL);
    return 1;
}

static void *exec_in_thread(void *unused) {
    (void)unused;
    burn(0.2);
    execl(self, "probe", "exit", "6", NULL);
    return NULL;
}

/// A thread other than the first makes the process become another image, while others work.
static int exec_by_thread(char **arguments) {
    (void)arguments;
    double long_enough = 3600;
    pthread_t thread;
    if (pthread_create(&thread, NULL, burn_in_thread, &long_enough) != 0 ||
        pthread_create(&thread, NULL, exec_in_thread, NULL) != 0) {
        return 1;
    }
    burn(long_enough);
    return 1;
}

/// Children by the system call itself, which nobody who watches forks hears of.
static int raw_fork(char **arguments) {
    (void)arguments;
    burn(0.1);
    for (int i = 0; i < 3; i++) {
        pid_t child = (pid_t)syscall(SYS_fork);
        if (child == 0) {
            // Ends a child that hangs; without an agent it ends at once.
            alarm(4);
            double seconds = 0.05;
            pthread_t thread;
            if (pthread_create(&thread, NULL, burn_in_thread, &seconds) != 0) {
                _exit(1);
            }
            pthread_join(thread, NULL);
            burn(0.05);
            exit(5);
        }
        int code = code_of(child);
        if (code != 5) {
            return complain("exit code of a raw fork's child", code, 5);
        }
        burn(0.05);
    }
    return 0;
}

static int count_module(struct dl_phdr_info *info, size_t size, void *count) {
    (void)info;
    (void)size;
    ++*(int *)count;
    return 0;
}

/// A host of one thread may use the loader in the child of a fork: nobody but itself held its lock.
/// `fork-loader LIBRARY`.
static int fork_loader(char **arguments) {
    for (int i = 0; i < 400; i++) {
        void *library = dlopen(arguments[0], RTLD_NOW);
        if (!library) {
            return complain("dlopen", 0, 1);
        }
        // The fork meets the agent at different points of its work.
        burn_leaf((uint64_t)(i % 40) * 4000);
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            int count = 0;
            dl_iterate_phdr(count_module, &count);
            dlclose(library);
            void *again = dlopen(arguments[0], RTLD_NOW);
            _exit(again && count > 3 ? 3 : 4);
        }
        int code = code_of(child);
        dlclose(library);
        if (code != 3) {
            return complain("exit code of a child that uses the loader", code, 3);
        }
    }
    return 0;
}

const probe_mode process_modes[] = {{"fork", fork_child},
                                    {"fork-loop", fork_loop},
                                    {"vfork-loop", vfork_loop},
                                    {"spawn", spawn_child},
                                    {"spawn-loop", spawn_loop},
                                    {"exec", exec_self},
                                    {"exec-in-thread", exec_by_thread},
                                    {"raw-fork", raw_fork},
                                    {"fork-loader", fork_loader},
                                    {NULL, NULL}};
