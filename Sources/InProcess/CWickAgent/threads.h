// One slot per sampled thread: its ring of raw samples and its counters.
//
//   slots   ┌──────────┬────────────────────────────┬─────────────────────┐
//           │ header   │ ring: 2^n words            │ rule cache, scratch │  × slot count, one
//           └──────────┴────────────────────────────┴─────────────────────┘  mapping, touched page
//                                                                            by page
//
//   ring    … │ head │ time │ weight | marks │ pc │ ra │ ra │ … │ head │ …
//             read ▲ (writer thread)              write ▲ (handler of this thread)
//
// A ring has one producer, the handler that runs on the slot's thread, and one consumer, the
// writer thread. Positions only rise; the place of a word is position & (capacity − 1).
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "unwind.h"

/// Layout of a sample in a ring, in words. A sample never wraps: `WICK_RING_PAD` fills the end.
enum : uint64_t {
    /// Head word: frame count, or this value with the number of words to pass over in bits 32….
    WICK_RING_PAD = 0xffffffff,
    WICK_RING_HEAD_WORDS = 3,
};

enum : uint32_t {
    /// Deepest stack that is kept; deeper ones are marked truncated.
    WICK_FRAME_LIMIT = 512,
    /// The unwinder's memory: its rule cache, and the rest for windows of stacks.
    WICK_WALK_BYTES = 16384,
    WICK_SCRATCH_BYTES = WICK_WALK_BYTES - sizeof(wick_rule_cache),
};

enum { WICK_SLOT_FREE, WICK_SLOT_LIVE };

typedef struct {
    _Atomic uint32_t state;
    pid_t tid;
    /// Trigger that this thread answers to; a thread reached by two events counts one of them.
    uint64_t cookie;
    uintptr_t thread_pointer;
    /// Latest stack pointer while the bounds are unknown, for the writer to find them.
    _Atomic uintptr_t seen_sp;
    /// Bounds of the thread's own stack, set by the writer; 0 while unknown.
    _Atomic uintptr_t stack_low, stack_high;
    /// Positions in words: `written` is released by the handler, `read` by the writer.
    _Atomic uint64_t written, read;
    /// Handler's counters, read by the writer. Weights.
    _Atomic uint64_t lost_ring_full;
    /// Writer's own: number in the recording or −1, where this drain ends, the clock of the
    /// recording, when to look again for the bounds and the name (in drains), the name.
    int64_t thread_index;
    uint64_t drain_to;
    uint64_t last_time;
    uint32_t bounds_wait, bounds_tries, name_wait, name_tries;
    bool silent;
    /// Whether the thread is gone.
    bool is_over;
    char name[16];
    uint64_t *ring;
    wick_rule_cache *rule_cache;
    uint8_t *scratch;
} wick_slot;

/// Maps the slots with rings that hold about 200 ms at `rate_hz`. False if memory is refused.
/// Later calls keep what is mapped.
bool wick_threads_map(uint32_t rate_hz);

/// In a fork's child, which does not have the mapping: the next recording makes its own.
void wick_threads_forget(void);

/// Words in each ring.
uint64_t wick_threads_ring_words(void);

/// SIGNAL-SAFE: calls nothing. The calling thread's slot, claimed on first use; NULL if all are
/// taken.
wick_slot *wick_threads_current(void);

/// Number of slots that may be in use; the writer visits 0..<count.
uint32_t wick_threads_count(void);

/// Number of slots that there can be.
uint32_t wick_threads_limit(void);

/// A slot by number.
wick_slot *wick_threads_slot(uint32_t number);

/// The number of a slot.
uint32_t wick_threads_number(const wick_slot *slot);

/// Frees the slot of a thread that ended, its ring drained. Writer thread only.
void wick_threads_release(uint32_t number);

/// Drops all that is in the rings and gives every thread a new beginning, for a new recording.
/// Sampling must be off.
void wick_threads_reset(void);
