// The recording's bytes: whole checksummed chunks, appended to a file, or to the stream that is open;
// see wick_format.h. Writer thread only, but for `wick_recording_open` and `wick_recording_forget`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wick_format.h"

/// Creates the file, or adds a segment to the one that this very process wrote before an exec. If
/// another live process is writing it, ".PID" is added to the name. 0 or an errno.
int wick_recording_open(const char *path);

/// Begins a recording that goes to the stream, which is open.
void wick_recording_open_stream(void);

/// Moves a descriptor out of the low numbers, which hosts reuse by number (0, 1, 2, select). Returns
/// the new one; the old one if that fails.
int wick_recording_move_up(int low);

/// Writes the segment's header; its magic, version, size and checksum are filled in. 0 or an errno.
int wick_recording_write_header(wick_header *header);

/// Appends a chunk: all of it or nothing. 0 or an errno: ENOSPC if the disk is full, EBADF if the
/// host closed our descriptor, EPIPE if nobody reads the stream any more.
int wick_recording_write_chunk(wick_chunk_type type, const void *payload, size_t byte_count);

/// Gives unused preallocated space back and closes the file; or closes the stream, for whose readers
/// it waits at most `wait_ms`.
void wick_recording_close(int wait_ms);

/// In a fork's child: closes the descriptor, touches nothing else.
void wick_recording_forget(void);
