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

/// What is known of a block.
typedef struct {
    /// Its size as it was asked for, up to WICK_LIVE_SIZE_LIMIT.
    uint64_t size;
    /// Node of its stack, see allocation_stacks.h.
    uint32_t node;
    /// Who allocated it, see wick_allocation_thread.
    uint32_t thread;
    /// By which interval it was chosen, see allocation.c.
    uint32_t interval;
    /// When, in ms since the recording began.
    uint32_t time_ms;
} wick_live_block;

enum : uint64_t { WICK_LIVE_SIZE_LIMIT = (UINT64_C(1) << 40) - 1 };
enum : uint32_t { WICK_LIVE_THREAD_BITS = 18, WICK_LIVE_INTERVAL_BITS = 6 };

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
wick_live_result wick_live_add(uintptr_t address, const wick_live_block *block,
                               wick_live_block *replaced);

/// HOOK-SAFE, also nested in itself by a signal's handler: takes a block out. False if it is not
/// followed.
bool wick_live_take(uintptr_t address, wick_live_block *block);

/// Calls `visit` for each block, while others come and go.
void wick_live_each(void (*visit)(uintptr_t address, const wick_live_block *block, void *context),
                    void *context);

/// Empties the table. No hook may be at work.
void wick_live_clear(void);

/// Bytes of memory mapped for it.
uint64_t wick_live_byte_count(void);
