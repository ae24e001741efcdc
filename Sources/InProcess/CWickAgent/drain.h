// From the rings to the recording: what the writer thread does at each drain. Writer thread only,
// but for `wick_drain_begin`, which runs while that thread waits.
#pragma once

#include "encoder.h"
#include "writer.h"

/// Fills the module list and builds the unwinder's tables, so that they are there for the first
/// sample.
void wick_drain_prepare(void);

/// Writes the header and the INFO chunk of a session. 0 or an errno.
int wick_drain_begin(const wick_session *session);

// MARK: what allocation_drain.c needs of it

/// Where nodes are defined; has space for one.
wick_buffer *wick_drain_definitions(void);

/// Writes a chunk, after what it refers to, and empties the buffer.
void wick_drain_write(wick_chunk_type type, wick_buffer *buffer);

/// The index of a slot's thread, which is given one.
uint64_t wick_drain_thread_index(uint32_t slot);

/// The bounds of a thread's own stack, which an address in it helps to find.
bool wick_drain_stack_bounds(uint32_t slot, uintptr_t sp, uintptr_t *low, uintptr_t *high);

// MARK: the writer's calls

/// Notes which engine is in use from now on, and why.
void wick_drain_note_engine(const wick_session *session);

/// Empties the rings; writes at every other call, or if much has come. 0 or the errno of a write.
int wick_drain(const wick_engine_type *engine);

/// What there was of the recording at the latest drain: samples, weight lost, threads. Any thread.
void wick_drain_totals(uint64_t *sample_count, uint64_t *lost, uint64_t *threads_seen);

/// Empties the rings a last time, writes the totals and the end, closes the recording. `engine` is NULL
/// if none works any more.
void wick_drain_finish(const wick_engine_type *engine, wick_end_reason reason);
