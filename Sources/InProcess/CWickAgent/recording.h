// The recording's file: whole checksummed chunks, appended; see wick_format.h. Writer thread only,
// but for `wick_recording_open` and `wick_recording_forget`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wick_format.h"

/// Creates the file, or adds a segment to the one that this very process wrote before an exec. If
/// another live process is writing it, ".PID" is added to the name. 0 or an errno.
int wick_recording_open(const char *path);

/// Writes the segment's header; its magic, version, size and checksum are filled in. 0 or an errno.
int wick_recording_write_header(wick_header *header);

/// Appends a chunk: all of it or nothing. 0 or an errno: ENOSPC if the disk is full, EBADF if the
/// host closed our descriptor.
int wick_recording_write_chunk(wick_chunk_type type, const void *payload, size_t byte_count);

/// Gives unused preallocated space back and closes the file.
void wick_recording_close(void);

/// In a fork's child: closes the descriptor, touches nothing else.
void wick_recording_forget(void);
