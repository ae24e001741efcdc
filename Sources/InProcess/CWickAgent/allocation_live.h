// The blocks that are followed, by address, from their allocation to their free.
//
//   segment 0   [ 8 keys, 8 values │ 8 keys, 8 values │ … ]
//   segment 1   as many again; 2: twice as many; …      mapped when there is no place in those before
//
// An address may be in one of two buckets of a segment. It belongs to whoever allocated it until
// whoever frees it, so no two threads ever look for the same one at a time (but in a program that is broken
// already): a place is taken by compare-and-swap and given up by a store. Nothing waits, nothing moves.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum : uint64_t { WICK_LIVE_SIZE_LIMIT = (UINT64_C(1) << 40) - 1 };
enum : uint32_t { WICK_LIVE_THREAD_BITS = 18, WICK_LIVE_INTERVAL_BITS = 6 };

/// What is known of a block, in two words: its size as it was asked for (40 bits), who allocated it (18, see
/// wick_allocation_state) and by which interval it was chosen (6, see allocation.c); the node of its
/// stack (32) and when that was, in ms since the recording began (32).
typedef struct {
    uint64_t size_thread_interval, node_time;
} wick_live_block;

static inline wick_live_block wick_live_block_make(uint64_t size, uint32_t thread,
                                                   uint32_t interval, uint32_t node,
                                                   uint32_t time_ms) {
    size = size < WICK_LIVE_SIZE_LIMIT ? size : WICK_LIVE_SIZE_LIMIT;
    return (wick_live_block){size | (uint64_t)thread << 40 | (uint64_t)interval << 58,
                             (uint64_t)node << 32 | time_ms};
}

static inline uint64_t wick_live_size(wick_live_block block) {
    return block.size_thread_interval & WICK_LIVE_SIZE_LIMIT;
}

static inline uint32_t wick_live_thread(wick_live_block block) {
    return (uint32_t)(block.size_thread_interval >> 40) & ((1u << WICK_LIVE_THREAD_BITS) - 1);
}

static inline uint32_t wick_live_interval(wick_live_block block) {
    return (uint32_t)(block.size_thread_interval >> 58);
}

static inline uint32_t wick_live_node(wick_live_block block) {
    return (uint32_t)(block.node_time >> 32);
}

static inline uint32_t wick_live_time_ms(wick_live_block block) {
    return (uint32_t)block.node_time;
}

/// How an addition ended.
typedef enum : uint8_t {
    WICK_LIVE_ADDED,
    /// The address was there: its free was not seen. The old block is returned, the new one is in its place.
    WICK_LIVE_REPLACED,
    WICK_LIVE_NO_MEMORY,
} wick_live_result;

/// Maps the first segment; idempotent. False if memory is refused. Before hooks are let in.
bool wick_live_map(void);

/// HOOK-SAFE: asks for the memory that an addition will need.
void wick_live_prefetch(uintptr_t address);

/// HOOK-SAFE.
wick_live_result wick_live_add(uintptr_t address, wick_live_block block,
                               wick_live_block *replaced);

/// HOOK-SAFE, also nested in itself by a signal's handler: takes a block out. False if it is not
/// followed.
bool wick_live_take(uintptr_t address, wick_live_block *block);

/// Calls `visit` for each block, while others come and go.
void wick_live_each(void (*visit)(uintptr_t address, wick_live_block block, void *context),
                    void *context);

/// Empties the table. No hook may be at work.
void wick_live_clear(void);

/// Bytes of memory mapped for it.
uint64_t wick_live_byte_count(void);
