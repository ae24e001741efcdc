#include "wick_kernel.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

int wick_kernel_probe_perf(void) {
    struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE,
                                         .size = sizeof(attributes),
                                         .config = PERF_COUNT_SW_TASK_CLOCK,
                                         .sample_period = 1000000000,
                                         .disabled = 1,
                                         .inherit = 1,
                                         .inherit_thread = 1,
                                         .remove_on_exec = 1,
                                         .sigtrap = 1};
    long descriptor =
        syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (descriptor < 0) {
        return errno;
    }
    close((int)descriptor);
    return 0;
}

bool wick_kernel_has_capabilities(const char *path) {
    return getxattr(path, "security.capability", NULL, 0) > 0;
}

static char last_line[4096];

// SIGNAL-SAFE: calls only write and _exit.
static void leave(int number) {
    if (write(STDERR_FILENO, last_line, strnlen(last_line, sizeof(last_line))) < 0) {
        // Nobody is left to be told.
    }
    _exit(128 + number);
}

void wick_kernel_leave_on_signals(const char *line) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    strncpy(last_line, line, sizeof(last_line) - 1);
    struct sigaction action = {.sa_handler = leave};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction before;
        // What is ignored stays ignored (nohup).
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            sigaction(numbers[i], &action, NULL);
        }
    }
}

int wick_kernel_ptrace(int request, pid_t tid, void *address, void *data) {
    return syscall(SYS_ptrace, (long)request, (long)tid, address, data) < 0 ? errno : 0;
}

int wick_kernel_take_descriptor(pid_t pid, int descriptor) {
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0) {
        return -errno;
    }
    int taken = (int)syscall(SYS_pidfd_getfd, process, descriptor, 0);
    int result = taken < 0 ? -errno : taken;
    close(process);
    return result;
}

size_t wick_kernel_read_memory(pid_t pid, uintptr_t address, void *buffer, size_t byte_count) {
    struct iovec local = {.iov_base = buffer, .iov_len = byte_count};
    struct iovec remote = {.iov_base = (void *)address, .iov_len = byte_count};
    ssize_t count = process_vm_readv(pid, &local, 1, &remote, 1, 0);
    return count < 0 ? 0 : (size_t)count;
}

bool wick_kernel_write_memory(pid_t pid, uintptr_t address, const void *bytes, size_t byte_count) {
    struct iovec local = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = byte_count};
    struct iovec remote = {.iov_base = (void *)address, .iov_len = byte_count};
    return process_vm_writev(pid, &local, 1, &remote, 1, 0) == (ssize_t)byte_count;
}

pid_t wick_kernel_peer(int socket) {
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

int wick_kernel_hold_name(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strnlen(name, sizeof(address.sun_path) - 1);
    memcpy(address.sun_path + 1, name, length);
    int held = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (held < 0) {
        return -errno;
    }
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
    if (bind(held, (struct sockaddr *)&address, size) != 0) {
        int error = errno;
        close(held);
        return -error;
    }
    return held;
}
