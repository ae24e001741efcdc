// A recording that goes to whoever attached, over sockets, and never waits for a slow reader: what it
// does not take is kept, up to a limit, and beyond that samples are dropped and counted. Writer thread
// only, but for `wick_stream_open` and `wick_stream_forget`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/// Readers at once.
enum { WICK_STREAM_LIMIT = 4 };

/// Begins a recording that goes to `count` sockets, which stay the caller's. `greetings` are sent
/// before the recording; NULL: nothing. 0 or an errno.
int wick_stream_open(const int *sockets, const char *const *greetings, size_t count);

/// Whether a recording goes to sockets.
bool wick_stream_is_open(void);

/// Appends all of it or nothing. 0, EPIPE if no reader is left, or ENOBUFS.
int wick_stream_write(const struct iovec *parts, int count);

/// Whether a reader is so far behind that no samples should be written.
bool wick_stream_is_congested(void);

/// Sends what is kept, as far as readers take it.
void wick_stream_pump(void);

/// Ends the recording; waits at most `wait_ms` for readers to take what is left.
void wick_stream_close(int wait_ms);

/// In a fork's child: forgets it all.
void wick_stream_forget(void);
