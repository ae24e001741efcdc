// The stacks of allocations, as nodes of one tree that all threads add to.
//
//   node 0 is the root; a node is (parent, pc): a return address, or a mark
//   nodes    [ pc │ parent │ misses ] …       by number, in the order of their making
//   buckets  [ 16 × (tag │ number) ]          by hash of (parent, pc); a full bucket goes on in the
//                                             next, four times larger, level
//
// Nodes are never taken away, so nothing here waits or is locked: a thread that finds no node makes one and
// puts it in place by compare-and-swap.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "unwind.h"

enum : uint32_t {
    WICK_STACK_NODE_BITS = 20,
    WICK_STACK_NODE_LIMIT = 1u << WICK_STACK_NODE_BITS,
    /// The node of a stack that could not be kept.
    WICK_STACK_ROOT = 0,
};

/// In a node's pc: not a return address but a `wick_truncation`, where a stack is cut.
enum : uint64_t { WICK_STACK_MARK_TRUNCATED = UINT64_C(1) << 62 };

typedef struct {
    _Atomic uint64_t pc;
    /// The parent; above it, see wick_stacks_forget_addresses.
    uint32_t origin;
    /// See wick_type_of.
    uint32_t misses;
} wick_stack_node;

enum : uint32_t { WICK_STACK_MEMORY_BITS = 9, WICK_STACK_MEMORY_WAYS = 4 };

/// A thread's own memory of nodes, by the hash of their whole stack: sets of a cache line, in each the last
/// to come first. Zeroed by its owner.
typedef struct {
    struct __attribute__((aligned(64))) {
        struct {
            uint64_t hash;
            uint32_t node;
        } ways[WICK_STACK_MEMORY_WAYS];
    } sets[1 << WICK_STACK_MEMORY_BITS];
} wick_stack_memory_of_nodes;

/// Maps what is needed; idempotent. False if memory is refused. Before hooks are let in.
bool wick_stacks_map(void);

/// HOOK-SAFE. The node of a walk's whole stack. `memory` is the calling thread's own.
uint32_t wick_stacks_add(wick_known_walk *walk, wick_stack_memory_of_nodes *memory);

/// Forgets all. A thread that is in here meanwhile may find a node that is forgotten.
void wick_stacks_clear(void);

/// Addresses mean something else from now on: no node is found any more that was made before. Walks must
/// be forgotten too, see wick_stacks_generation.
void wick_stacks_forget_addresses(void);

extern __attribute__((visibility("hidden"))) _Atomic uint32_t wick_stacks_generation_now;

/// Changes whenever nodes that a walk knows are out of date.
static inline uint32_t wick_stacks_generation(void) {
    return atomic_load_explicit(&wick_stacks_generation_now, memory_order_relaxed);
}

/// One more than the highest number given.
uint32_t wick_stacks_count(void);

/// A node by number; its pc is 0 while it is being made.
wick_stack_node *wick_stacks_node(uint32_t number);

static inline uint32_t wick_stack_parent(const wick_stack_node *node) {
    return node->origin & (WICK_STACK_NODE_LIMIT - 1);
}

/// How often a frame was left out because no node was to be had.
uint64_t wick_stacks_refused(void);

/// Bytes of memory touched, about.
uint64_t wick_stacks_byte_count(void);
