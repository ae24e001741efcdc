// Turns raw samples into the records of a SAMPLES chunk: frames and stacks are given numbers, each
// is written once. Writer thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wick_format.h"

/// A growing run of bytes, bounded by WICK_CHUNK_BYTE_LIMIT.
typedef struct {
    uint8_t *bytes;
    size_t byte_count;
} wick_buffer;

/// Writes a LEB128 integer; there must be space for 10 bytes.
void wick_buffer_varint(wick_buffer *buffer, uint64_t value);

/// Writes a byte count and the bytes, cut so that they fit.
void wick_buffer_string(wick_buffer *buffer, const void *bytes, size_t byte_count);

/// Bytes that a sample may take at most with all its frames new; flush a buffer that has less left.
enum : size_t { WICK_SAMPLE_BYTES_LIMIT = 32 * 1024 };

/// One raw sample.
typedef struct {
    /// Runtime addresses, leaf first: the interrupted instruction, then return addresses.
    const uint64_t *frames;
    size_t frame_count;
    /// 0 or a `wick_truncation`.
    uint32_t truncation;
    uint64_t weight;
    /// Since the thread's previous sample, in units of `wick_time_unit_ns`.
    uint64_t elapsed;
} wick_raw_sample;

/// Begins a segment: all numbers start again. False if memory is refused.
bool wick_encoder_reset(void);

/// Runtime addresses mean something else from now on (a module went): nothing known is reused.
void wick_encoder_forget_addresses(void);

/// Says whose samples follow.
void wick_encoder_thread(wick_buffer *buffer, uint64_t thread_index);

/// Defines the node of a frame below a node (0: the root) if it is not known. Returns its number; 0 if a
/// table is full. There must be space for WICK_SAMPLE_BYTES_LIMIT.
uint32_t wick_encoder_child(wick_buffer *buffer, uint32_t parent, uint64_t address,
                            wick_frame_kind kind);

/// Writes a sample and what it needs. False, and nothing counted, if the table of stacks is full or
/// memory was refused.
bool wick_encoder_sample(wick_buffer *buffer, const wick_raw_sample *sample);
