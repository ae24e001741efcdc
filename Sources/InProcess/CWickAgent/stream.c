#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "pages.h"

enum : size_t {
    /// What is kept for a reader: some seconds of a busy server at a high rate.
    BACKLOG_BYTES = 8 << 20,
    /// From here on no samples are written; the chunks that still come fit into the rest.
    CONGESTED_BYTES = 4 << 20,
};

/// One reader and what it has not taken yet, a ring.
typedef struct {
    /// -1: gone.
    int socket;
    dev_t device;
    ino_t inode;
    uint8_t *backlog;
    size_t first, byte_count;
} reader;

static reader readers[WICK_STREAM_LIMIT];
static size_t reader_count;

static void drop(reader *gone) {
    wick_pages_unmap(gone->backlog, BACKLOG_BYTES);
    *gone = (reader){.socket = -1};
}

/// Whether the descriptor is the socket that it was: some hosts close all descriptors.
static bool is_ours(const reader *one) {
    struct stat status;
    return fstat(one->socket, &status) == 0 && status.st_dev == one->device &&
           status.st_ino == one->inode;
}

static size_t space(const reader *one) {
    return BACKLOG_BYTES - one->byte_count;
}

static void keep(reader *one, const void *bytes, size_t byte_count) {
    size_t end = (one->first + one->byte_count) % BACKLOG_BYTES;
    size_t before_wrap = BACKLOG_BYTES - end < byte_count ? BACKLOG_BYTES - end : byte_count;
    memcpy(one->backlog + end, bytes, before_wrap);
    memcpy(one->backlog, (const uint8_t *)bytes + before_wrap, byte_count - before_wrap);
    one->byte_count += byte_count;
}

/// Sends as much as the socket takes. False if the reader is gone.
static bool pump(reader *one) {
    if (!is_ours(one)) {
        return false;
    }
    while (one->byte_count > 0) {
        size_t before_wrap = BACKLOG_BYTES - one->first;
        size_t size = one->byte_count < before_wrap ? one->byte_count : before_wrap;
        ssize_t sent = send(one->socket, one->backlog + one->first, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS ||
                   errno == ENOMEM;
        }
        one->first = (one->first + (size_t)sent) % BACKLOG_BYTES;
        one->byte_count -= (size_t)sent;
    }
    return true;
}

int wick_stream_open(const int *sockets, const char *const *greetings, size_t count) {
    reader_count = 0;
    for (size_t i = 0; i < count && i < WICK_STREAM_LIMIT; i++) {
        struct stat status;
        if (fstat(sockets[i], &status) != 0) {
            continue;
        }
        reader *one = &readers[reader_count];
        *one = (reader){.socket = sockets[i],
                        .device = status.st_dev,
                        .inode = status.st_ino,
                        .backlog = wick_pages_map(BACKLOG_BYTES)};
        if (!one->backlog) {
            wick_stream_close(0);
            return ENOMEM;
        }
        reader_count++;
        if (greetings[i]) {
            keep(one, greetings[i], strlen(greetings[i]));
        }
    }
    return reader_count > 0 ? 0 : EPIPE;
}

bool wick_stream_is_open(void) {
    return reader_count > 0;
}

int wick_stream_write(const struct iovec *parts, int count) {
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        size += parts[i].iov_len;
    }
    bool any = false;
    for (size_t i = 0; i < reader_count; i++) {
        reader *one = &readers[i];
        // A reader for which not even this is left has not read for a long time.
        if (one->socket < 0 || space(one) < size) {
            drop(one);
            continue;
        }
        for (int part = 0; part < count; part++) {
            keep(one, parts[part].iov_base, parts[part].iov_len);
        }
        if (pump(one)) {
            any = true;
        } else {
            drop(one);
        }
    }
    return any ? 0 : EPIPE;
}

bool wick_stream_is_congested(void) {
    for (size_t i = 0; i < reader_count; i++) {
        if (readers[i].socket >= 0 && readers[i].byte_count > CONGESTED_BYTES) {
            return true;
        }
    }
    return false;
}

void wick_stream_pump(void) {
    for (size_t i = 0; i < reader_count; i++) {
        if (readers[i].socket >= 0 && readers[i].byte_count > 0 && !pump(&readers[i])) {
            drop(&readers[i]);
        }
    }
}

void wick_stream_close(int wait_ms) {
    enum { STEP_MS = 10 };
    for (size_t i = 0; i < reader_count; i++) {
        reader *one = &readers[i];
        while (one->socket >= 0 && pump(one) && one->byte_count > 0 && wait_ms > 0) {
            struct pollfd entry = {.fd = one->socket, .events = POLLOUT};
            poll(&entry, 1, STEP_MS);
            wait_ms -= STEP_MS;
        }
        drop(one);
    }
    reader_count = 0;
}

void wick_stream_forget(void) {
    for (size_t i = 0; i < reader_count; i++) {
        drop(&readers[i]);
    }
    reader_count = 0;
}
