#include "wick_perf.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int open_event(struct perf_event_attr *attributes, pid_t tid, int *descriptor) {
    *descriptor =
        (int)syscall(SYS_perf_event_open, attributes, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    return *descriptor < 0 ? errno : 0;
}

int wick_perf_open(const wick_perf_settings *settings, pid_t tid, int *descriptor) {
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof(attributes),
        .config = PERF_COUNT_SW_TASK_CLOCK,
        .sample_period = settings->period_ns,
        .sample_type =
            PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN,
        .sample_max_stack = settings->frame_limit,
        .disabled = 1,
        .exclude_kernel = settings->user_only,
        .exclude_hv = settings->user_only,
        // The stack is where user code was left, even if the sample falls into the kernel.
        .exclude_callchain_kernel = 1,
        .mmap = 1,
        .mmap2 = 1,
        .comm = 1,
        .comm_exec = 1,
        .task = 1,
        .sample_id_all = 1,
        .use_clockid = 1,
        .clockid = CLOCK_MONOTONIC};
    return open_event(&attributes, tid, descriptor);
}

int wick_perf_open_watch(pid_t tid, int *descriptor) {
    struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE,
                                         .size = sizeof(attributes),
                                         .config = PERF_COUNT_SW_DUMMY,
                                         .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
                                         .exclude_kernel = 1,
                                         .exclude_hv = 1,
                                         .task = 1,
                                         .sample_id_all = 1,
                                         .watermark = 1,
                                         .wakeup_watermark = 1,
                                         .use_clockid = 1,
                                         .clockid = CLOCK_MONOTONIC};
    return open_event(&attributes, tid, descriptor);
}

static size_t page_byte_count(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

int wick_perf_map(int descriptor, size_t data_byte_count, void **ring) {
    // Writable: else the kernel would overwrite what was not read yet.
    void *start = mmap(NULL, page_byte_count() + data_byte_count, PROT_READ | PROT_WRITE,
                       MAP_SHARED, descriptor, 0);
    if (start == MAP_FAILED) {
        return errno;
    }
    *ring = start;
    return 0;
}

void wick_perf_unmap(void *ring, size_t data_byte_count) {
    munmap(ring, page_byte_count() + data_byte_count);
}

void wick_perf_enable(int descriptor, bool enabled) {
    ioctl(descriptor, enabled ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

uint64_t wick_perf_count_ns(int descriptor) {
    uint64_t count = 0;
    return read(descriptor, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

size_t wick_perf_waiting(const void *ring) {
    const struct perf_event_mmap_page *page = ring;
    // Acquire: pairs with the kernel's barrier before it moves the head (perf_output_put_handle).
    uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
    return (size_t)(head - page->data_tail);
}

void wick_perf_take(void *ring, size_t data_byte_count, size_t byte_count, void *to) {
    struct perf_event_mmap_page *page = ring;
    const uint8_t *data = (const uint8_t *)ring + page_byte_count();
    size_t start = (size_t)page->data_tail & (data_byte_count - 1);
    size_t first = data_byte_count - start < byte_count ? data_byte_count - start : byte_count;
    memcpy(to, data + start, first);
    memcpy((uint8_t *)to + first, data, byte_count - first);
    // Release: pairs with the kernel's barrier after it read the tail; the bytes are copied.
    __atomic_store_n(&page->data_tail, page->data_tail + byte_count, __ATOMIC_RELEASE);
}

int wick_watch_create(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

bool wick_watch_add(int set, int descriptor, int32_t key) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = key};
    return epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

bool wick_watch_next(int set, int timeout_ms, int32_t *key, bool *is_over) {
    struct epoll_event event;
    if (epoll_wait(set, &event, 1, timeout_ms) != 1) {
        return false;
    }
    *key = event.data.fd;
    *is_over = (event.events & EPOLLHUP) != 0;
    return true;
}

int wick_process_watch(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int wick_process_exit_status(int descriptor) {
    // struct pidfd_info, its ioctl and its bit, of Linux 6.15's linux/pidfd.h.
    struct {
        uint64_t mask, cgroup;
        uint32_t ids[11];
        int32_t exit_code;
    } info = {.mask = 1u << 3};
    if (ioctl(descriptor, _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, sizeof(info)), &info) != 0 ||
        (info.mask & 1u << 3) == 0) {
        return -1;
    }
    return info.exit_code;
}

bool wick_process_cpu_ns(pid_t pid, uint64_t *ns) {
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
        return false;
    }
    *ns = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    return true;
}

uint64_t wick_own_cpu_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}
