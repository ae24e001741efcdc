// HOOK-SAFE but for wick_stacks_map: atomic loads, stores and compare-and-swap.
#include "allocation_stacks.h"

#include <stdatomic.h>
#include <stddef.h>

#include "pages.h"

enum : uint32_t {
    SLOTS = 16,
    LEVELS = 6,
    /// Buckets of the first level; each next one has four times as many.
    FIRST_BUCKETS = 256,
    TAG_SHIFT = WICK_STACK_NODE_BITS,
};

/// One cache line. A slot is the node's number and, above, bits of its hash; 0: empty.
typedef struct {
    _Atomic uint32_t slots[SLOTS];
} bucket;

static wick_stack_node *nodes;
static bucket *levels[LEVELS];
static _Atomic uint32_t node_count;
_Atomic uint32_t wick_stacks_generation_now;
static _Atomic uint64_t refused;

bool wick_stacks_map(void) {
    if (nodes) {
        return true;
    }
    size_t bucket_count = 0;
    for (uint32_t level = 0; level < LEVELS; level++) {
        bucket_count += (size_t)FIRST_BUCKETS << 2 * level;
    }
    bucket *buckets = wick_pages_map(bucket_count * sizeof(bucket));
    wick_stack_node *mapped = wick_pages_map(WICK_STACK_NODE_LIMIT * sizeof(wick_stack_node));
    if (!buckets || !mapped) {
        wick_pages_unmap(buckets, bucket_count * sizeof(bucket));
        wick_pages_unmap(mapped, WICK_STACK_NODE_LIMIT * sizeof(wick_stack_node));
        return false;
    }
    for (uint32_t level = 0; level < LEVELS; level++) {
        levels[level] = buckets;
        buckets += (size_t)FIRST_BUCKETS << 2 * level;
    }
    atomic_store_explicit(&node_count, 1, memory_order_relaxed);
    nodes = mapped;
    return true;
}

static uint64_t hash_of(uint32_t parent, uint64_t pc) {
    uint64_t hash = (pc ^ (uint64_t)parent << 40 ^ parent) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

/// A number for a new node; 0 if there is none left.
static uint32_t take_number(void) {
    if (atomic_load_explicit(&node_count, memory_order_relaxed) >= WICK_STACK_NODE_LIMIT) {
        return 0;
    }
    uint32_t number = atomic_fetch_add_explicit(&node_count, 1, memory_order_relaxed);
    return number < WICK_STACK_NODE_LIMIT ? number : 0;
}

/// The child of `parent` for `pc`; `parent` itself if no number or no place is left.
static uint32_t child(uint32_t parent, uint64_t pc) {
    uint32_t origin = parent | atomic_load_explicit(&wick_stacks_generation_now, memory_order_relaxed)
                                   << WICK_STACK_NODE_BITS;
    uint64_t hash = hash_of(origin, pc);
    uint32_t tag = (uint32_t)(hash >> 52) << TAG_SHIFT;
    for (uint32_t level = 0; level < LEVELS; level++) {
        bucket *at = &levels[level][hash & ((FIRST_BUCKETS << 2 * level) - 1)];
        for (uint32_t i = 0; i < SLOTS; i++) {
            // Acquire: pairs with the release below; the node's fields are seen.
            uint32_t slot = atomic_load_explicit(&at->slots[i], memory_order_acquire);
            if (slot == 0) {
                uint32_t number = take_number();
                if (!number) {
                    atomic_fetch_add_explicit(&refused, 1, memory_order_relaxed);
                    return parent;
                }
                nodes[number].origin = origin;
                // Release: whoever sees the pc sees the parent.
                atomic_store_explicit(&nodes[number].pc, pc, memory_order_release);
                // Release: publishes the node. Acquire on failure: another's is looked at. The number is
                // not used again then: it may have been looked at too.
                if (atomic_compare_exchange_strong_explicit(&at->slots[i], &slot, tag | number,
                                                            memory_order_release,
                                                            memory_order_acquire)) {
                    return number;
                }
            }
            uint32_t number = slot & (WICK_STACK_NODE_LIMIT - 1);
            if ((slot ^ tag) >> TAG_SHIFT == 0 && nodes[number].origin == origin &&
                atomic_load_explicit(&nodes[number].pc, memory_order_relaxed) == pc) {
                return number;
            }
        }
    }
    atomic_fetch_add_explicit(&refused, 1, memory_order_relaxed);
    return parent;
}

/// In a frame whose node is not known yet.
enum : uint32_t { NOT_KNOWN = UINT32_MAX };

/// Finds or makes the nodes of all frames, from the innermost one that is known on.
__attribute__((noinline)) static void find_nodes(wick_known_walk *walk) {
    uint32_t first = walk->count;
    while (first > 0 && walk->frames[first - 1].node == NOT_KNOWN) {
        first--;
    }
    uint32_t node = first > 0          ? walk->frames[first - 1].node
                    : walk->truncation ? child(WICK_STACK_ROOT, WICK_STACK_MARK_TRUNCATED |
                                                                    walk->truncation)
                                       : WICK_STACK_ROOT;
    for (uint32_t i = first; i < walk->count; i++) {
        node = walk->frames[i].node = child(node, walk->frames[i].pc);
    }
}

/// The node of a stack by its hash, or NOT_KNOWN.
static inline uint32_t recall(const wick_stack_memory_of_nodes *memory, uint64_t hash) {
    size_t set = hash >> (64 - WICK_STACK_MEMORY_BITS);
    for (uint32_t way = 0; way < WICK_STACK_MEMORY_WAYS; way++) {
        if (memory->sets[set].ways[way].hash == hash) {
            return memory->sets[set].ways[way].node;
        }
    }
    return NOT_KNOWN;
}

static void keep(wick_stack_memory_of_nodes *memory, uint64_t hash, uint32_t node) {
    size_t set = hash >> (64 - WICK_STACK_MEMORY_BITS);
    for (uint32_t way = WICK_STACK_MEMORY_WAYS - 1; way > 0; way--) {
        memory->sets[set].ways[way] = memory->sets[set].ways[way - 1];
    }
    memory->sets[set].ways[0].hash = hash;
    memory->sets[set].ways[0].node = node;
}

uint32_t wick_stacks_add(wick_known_walk *walk, wick_stack_memory_of_nodes *memory) {
    if (walk->count == 0) {
        return WICK_STACK_ROOT;
    }
    // Of 64 bits: two stacks of a process do not have the same.
    uint64_t hash = walk->unchanged > 0 ? walk->frames[walk->unchanged - 1].hash
                                        : (uint64_t)wick_stacks_generation() << 32 |
                                              (walk->truncation + 1);
    for (uint32_t i = walk->unchanged; i < walk->count; i++) {
        hash = (hash ^ walk->frames[i].pc) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
        walk->frames[i].hash = hash;
        walk->frames[i].node = NOT_KNOWN;
    }
    wick_known_frame *innermost = &walk->frames[walk->count - 1];
    if (innermost->node == NOT_KNOWN) {
        innermost->node = recall(memory, innermost->hash);
    }
    if (innermost->node == NOT_KNOWN) {
        find_nodes(walk);
        keep(memory, innermost->hash, innermost->node);
    }
    return innermost->node;
}

void wick_stacks_clear(void) {
    for (uint32_t level = 0; level < LEVELS && nodes; level++) {
        wick_pages_drop(levels[level], ((size_t)FIRST_BUCKETS << 2 * level) * sizeof(bucket));
    }
    if (nodes) {
        wick_pages_drop(nodes, WICK_STACK_NODE_LIMIT * sizeof(wick_stack_node));
        atomic_store_explicit(&node_count, 1, memory_order_relaxed);
    }
    atomic_store_explicit(&refused, 0, memory_order_relaxed);
    wick_stacks_forget_addresses();
}

void wick_stacks_forget_addresses(void) {
    atomic_fetch_add_explicit(&wick_stacks_generation_now, 1, memory_order_relaxed);
}

uint32_t wick_stacks_count(void) {
    uint32_t count = atomic_load_explicit(&node_count, memory_order_relaxed);
    return count < WICK_STACK_NODE_LIMIT ? count : WICK_STACK_NODE_LIMIT;
}

wick_stack_node *wick_stacks_node(uint32_t number) {
    return &nodes[number];
}

uint64_t wick_stacks_refused(void) {
    return atomic_load_explicit(&refused, memory_order_relaxed);
}

uint64_t wick_stacks_byte_count(void) {
    uint64_t count = wick_stacks_count();
    // Levels fill one after another.
    uint64_t bytes = count * sizeof(wick_stack_node), places = 0;
    for (uint32_t level = 0; level < LEVELS && places < 2 * count; level++) {
        bytes += (uint64_t)(FIRST_BUCKETS << 2 * level) * sizeof(bucket);
        places += (uint64_t)(FIRST_BUCKETS << 2 * level) * SLOTS;
    }
    return bytes;
}
