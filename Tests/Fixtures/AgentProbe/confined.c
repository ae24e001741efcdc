// Hosts that take away what an agent uses: descriptors, system calls.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

/// errno survives every sample.
static int keep_errno(char **arguments) {
    (void)arguments;
    double end = thread_cpu() + 1;
    while (thread_cpu() < end) {
        errno = 4711;
        burn_leaf(20000);
        if (errno != 4711) {
            return complain("errno", errno, 4711);
        }
    }
    return 0;
}

/// Closes every descriptor from 3 on, as daemons do, and goes on.
static int close_all(char **arguments) {
    (void)arguments;
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

/// Becomes the rest of the command line in a world where perf_event_open and process_vm_readv meet
/// `verdict`.
static int confine(char **arguments, uint32_t verdict) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, verdict),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        return 1;
    }
    // The word before the first is the mode, which becomes the program's name.
    execv("/proc/self/exe", arguments - 1);
    return 1;
}

/// `unblocked PROGRAM ARGUMENT…`: becomes a program that gets all signals, as main has let them in.
static int unblock(char **arguments) {
    execv(arguments[0], arguments);
    return 1;
}

/// As a container does it.
static int deny_perf(char **arguments) {
    return confine(arguments, SECCOMP_RET_ERRNO | EPERM);
}

/// As a service manager does it.
static int kill_for_perf(char **arguments) {
    return confine(arguments, SECCOMP_RET_KILL_PROCESS);
}

const probe_mode confined_modes[] = {{"errno", keep_errno},
                                     {"close-all", close_all},
                                     {"without-perf", deny_perf},
                                     {"unblocked", unblock},
                                     {"deadly-perf", kill_for_perf},
                                     {NULL, NULL}};
