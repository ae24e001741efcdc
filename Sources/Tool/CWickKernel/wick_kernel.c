#include "wick_kernel.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
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
