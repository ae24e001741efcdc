#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "own_descriptor.h"

size_t wick_proc_read(const char *path, char *text, size_t byte_count) {
    size_t length = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    // The host may close it in the meantime and open something else.
    wick_own_descriptor file = wick_own(descriptor);
    if (file.number >= 0) {
        ssize_t got;
        while (length < byte_count - 1 &&
               (got = read(descriptor, text + length, byte_count - 1 - length)) > 0) {
            length += (size_t)got;
        }
        wick_disown(&file);
    }
    text[length] = 0;
    return length;
}

bool wick_proc_each_number(const char *folder, bool (*visit)(uint32_t number, void *context),
                           void *context) {
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    wick_own_descriptor file = wick_own(descriptor);
    if (file.number < 0) {
        return false;
    }
    _Alignas(struct dirent64) char entries[4096];
    bool more = true;
    long got = 0;
    while (more && (got = syscall(SYS_getdents64, descriptor, entries, sizeof(entries))) > 0) {
        for (long offset = 0; more && offset < got;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + offset);
            offset += entry->d_reclen;
            if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') {
                more = visit((uint32_t)strtoul(entry->d_name, NULL, 10), context);
            }
        }
    }
    wick_disown(&file);
    return got >= 0;
}

uint64_t wick_proc_start_ticks(void) {
    char text[1024];
    if (wick_proc_read("/proc/self/stat", text, sizeof(text)) == 0) {
        return 0;
    }
    // The name in field 2 may hold spaces and parentheses; field 3 follows the last ')'.
    const char *next = strrchr(text, ')');
    for (int field = 2; next && field < 22; field++) {
        next = strchr(next + 1, ' ');
    }
    return next ? strtoull(next + 1, NULL, 10) : 0;
}

void wick_proc_thread_name(pid_t tid, char name[16]) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", (int)tid);
    char text[32];
    size_t length = wick_proc_read(path, text, sizeof(text));
    if (length > 0 && text[length - 1] == '\n') {
        length--;
    }
    length = length > 15 ? 15 : length;
    memcpy(name, text, length);
    name[length] = 0;
}

uint64_t wick_proc_status(pid_t tid, const char *key, int base) {
    char path[64];
    if (tid) {
        snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)tid);
    } else {
        strcpy(path, "/proc/self/status");
    }
    // The line of groups can be long, everything else fits with room to spare.
    char text[8192];
    wick_proc_read(path, text, sizeof(text));
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ':') {
            return strtoull(line + length + 1, NULL, base);
        }
    }
    return 0;
}

pid_t wick_proc_tracer(void) {
    return (pid_t)wick_proc_status(0, "TracerPid", 10);
}

bool wick_proc_is_filtered(void) {
    // 2 is SECCOMP_MODE_FILTER.
    return wick_proc_status(0, "Seccomp", 10) == 2;
}

/// PROCMAP_QUERY of the kernel's <linux/fs.h>, since 6.11; the C library's headers may be older.
typedef struct {
    uint64_t size, flags, address, start, end, mapping_flags, page_size, offset, inode;
    uint32_t device_major, device_minor, name_size, build_id_size;
    uint64_t name, build_id;
} mapping_query;

enum : uint64_t { MAPPING_IS_READABLE = 1 };

/// Asks for one mapping; `*known` is false if the kernel does not know the question.
static bool query_mapping(int maps, uintptr_t address, uintptr_t *low, uintptr_t *high,
                          bool *known) {
    mapping_query query = {
        .size = sizeof(query), .flags = MAPPING_IS_READABLE, .address = address};
    int result = ioctl(maps, _IOWR('f', 17, mapping_query), &query);
    *known = result == 0 || errno == ENOENT;
    *low = query.start;
    *high = query.end;
    return result == 0;
}

bool wick_proc_mapping(uintptr_t address, uintptr_t *low, uintptr_t *high) {
    // Not /proc/self: of a first thread that has left, nothing is shown.
    int descriptor = open("/proc/thread-self/maps", O_RDONLY | O_CLOEXEC);
    wick_own_descriptor file = wick_own(descriptor);
    if (file.number < 0) {
        return false;
    }
    bool known = true;
    bool found = query_mapping(descriptor, address, low, high, &known);
    if (known) {
        wick_disown(&file);
        return found;
    }
    // Lines begin "low-high perms …"; a buffer may end in the middle of one.
    char text[4096];
    size_t kept = 0;
    ssize_t got;
    while (!found && (got = read(descriptor, text + kept, sizeof(text) - 1 - kept)) > 0) {
        size_t length = kept + (size_t)got;
        text[length] = 0;
        char *line = text;
        char *end;
        while (!found && (end = memchr(line, '\n', length - (size_t)(line - text)))) {
            char *next;
            *low = strtoull(line, &next, 16);
            *high = *next == '-' ? strtoull(next + 1, &next, 16) : 0;
            found = *low <= address && address < *high && next[1] == 'r';
            line = end + 1;
        }
        kept = length - (size_t)(line - text);
        if (kept == sizeof(text) - 1) {
            kept = 0;  // A line longer than the buffer: its rest is passed over as no mapping.
        }
        memmove(text, line, kept);
    }
    wick_disown(&file);
    return found;
}
