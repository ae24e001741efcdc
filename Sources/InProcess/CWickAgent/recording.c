#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "crc32c.h"
#include "own_descriptor.h"
#include "proc.h"
#include "stream.h"

enum : uint32_t {
    /// Space taken ahead of what is written, so that a full disk is known before a write fails…
    AHEAD_BYTES = 1 << 20,
    /// …and the closing chunks still fit.
    RESERVE_BYTES = 64 << 10,
};

static int descriptor = -1;
static dev_t device;
static ino_t inode;
static off_t length;
static off_t allocated;
/// False on file systems that cannot preallocate.
static bool can_allocate;
static uint32_t sequence;

int wick_recording_move_up(int low) {
    struct rlimit limit;
    int floor = 3;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 64) {
        floor = limit.rlim_cur > 1024 ? 960 : (int)limit.rlim_cur - 32;
    }
    wick_own_descriptor file = wick_own(low);
    int high = fcntl(low, F_DUPFD_CLOEXEC, floor);
    if (high < 0) {
        return low;
    }
    wick_disown(&file);
    return high;
}

/// Whether the file begins with a header of this very process: then an exec came between.
static bool is_own(int file) {
    wick_header header;
    static const uint8_t magic[8] = WICK_MAGIC_BYTES;
    return pread(file, &header, sizeof(header), 0) == sizeof(header) &&
           memcmp(header.magic, magic, sizeof(magic)) == 0 && header.pid == (uint32_t)getpid() &&
           header.process_start_ticks == wick_proc_start_ticks();
}

static int open_locked(const char *path) {
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        return -errno;
    }
    file = wick_recording_move_up(file);
    struct stat status;
    int error = 0;
    if (fstat(file, &status) != 0) {
        error = errno;
    } else if (!S_ISREG(status.st_mode)) {
        error = EINVAL;
    } else if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        error = errno;
    }
    if (error) {
        close(file);
        return -error;
    }
    return file;
}

int wick_recording_open(const char *path) {
    int file = open_locked(path);
    if (file == -EWOULDBLOCK) {
        char other[PATH_MAX];
        int size = snprintf(other, sizeof(other), "%s.%d", path, (int)getpid());
        if (size < 0 || (size_t)size >= sizeof(other)) {
            return ENAMETOOLONG;
        }
        file = open_locked(other);
    }
    if (file < 0) {
        return -file;
    }
    struct stat status;
    if (fstat(file, &status) != 0 || (!is_own(file) && ftruncate(file, 0) != 0)) {
        int error = errno;
        close(file);
        return error;
    }
    off_t end = lseek(file, 0, SEEK_END);
    descriptor = file;
    device = status.st_dev;
    inode = status.st_ino;
    length = allocated = end < 0 ? 0 : end;
    can_allocate = true;
    sequence = 0;
    return 0;
}

void wick_recording_open_stream(void) {
    descriptor = -1;
    sequence = 0;
}

/// Whether the descriptor still is our file: hosts that close all descriptors exist, and what they
/// open next must not be written to.
static bool is_ours(void) {
    struct stat status;
    return fstat(descriptor, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

/// Makes sure of space for `byte_count` more bytes and the reserve. 0 or ENOSPC.
static int allocate(size_t byte_count, bool closing) {
    off_t need = length + (off_t)byte_count + (closing ? 0 : RESERVE_BYTES);
    if (!can_allocate || need <= allocated) {
        return 0;
    }
    off_t target = need + AHEAD_BYTES;
    // The file's size stays that of the whole chunks.
    int error = fallocate(descriptor, FALLOC_FL_KEEP_SIZE, allocated, target - allocated) ? errno : 0;
    if (error == ENOSPC || error == EDQUOT) {
        // Less may still fit.
        error = fallocate(descriptor, FALLOC_FL_KEEP_SIZE, allocated, need - allocated) ? errno : 0;
        target = need;
    }
    if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
        return ENOSPC;
    }
    if (error && error != EINTR) {
        can_allocate = false;
    } else if (!error) {
        allocated = target;
    }
    return 0;
}

static int write_whole(const struct iovec *parts, int count, bool closing) {
    if (wick_stream_is_open()) {
        return wick_stream_write(parts, count);
    }
    if (descriptor < 0 || !is_ours()) {
        descriptor = -1;
        return EBADF;
    }
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        size += parts[i].iov_len;
    }
    int error = allocate(size, closing);
    if (error) {
        return error;
    }
    ssize_t written = pwritev(descriptor, parts, count, length);
    if (written != (ssize_t)size) {
        error = written < 0 ? errno : ENOSPC;
        // Part of a chunk is of no use to a reader.
        if (ftruncate(descriptor, length) != 0 && !error) {
            error = errno;
        }
        return error == EDQUOT || error == EFBIG ? ENOSPC : error;
    }
    length += written;
    return 0;
}

int wick_recording_write_header(wick_header *header) {
    static const uint8_t magic[8] = WICK_MAGIC_BYTES;
    memcpy(header->magic, magic, sizeof(magic));
    header->version = WICK_FORMAT_VERSION;
    header->header_byte_count = sizeof(*header);
    header->crc32c = wick_crc32c(0, header, offsetof(wick_header, crc32c));
    struct iovec part = {.iov_base = header, .iov_len = sizeof(*header)};
    return write_whole(&part, 1, false);
}

int wick_recording_write_chunk(wick_chunk_type type, const void *payload, size_t byte_count) {
    wick_chunk_header header = {
        .type = type, .payload_byte_count = (uint32_t)byte_count, .sequence = sequence};
    uint32_t crc = wick_crc32c(0, &header, offsetof(wick_chunk_header, crc32c));
    header.crc32c = wick_crc32c(crc, payload, byte_count);
    struct iovec parts[2] = {{.iov_base = &header, .iov_len = sizeof(header)},
                             {.iov_base = (void *)(uintptr_t)payload, .iov_len = byte_count}};
    // The last words of a recording may use the reserve.
    bool closing = type == WICK_CHUNK_END || type == WICK_CHUNK_STATS ||
                   type == WICK_CHUNK_BLOCKED;
    int error = write_whole(parts, 2, closing);
    if (!error) {
        sequence++;
    }
    return error;
}

void wick_recording_close(int wait_ms) {
    wick_stream_close(wait_ms);
    if (descriptor >= 0 && is_ours()) {
        // Blocks beyond the end that were taken ahead.
        if (ftruncate(descriptor, length) != 0) {
            length = 0;  // Nothing is lost: the file keeps its whole chunks.
        }
        close(descriptor);
    }
    descriptor = -1;
}

void wick_recording_forget(void) {
    wick_stream_forget();
    if (descriptor >= 0 && is_ours()) {
        close(descriptor);
    }
    descriptor = -1;
}
