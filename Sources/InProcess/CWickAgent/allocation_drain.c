#include "allocation_drain.h"

#include <stddef.h>
#include <string.h>

#include "allocation.h"
#include "allocation_snapshot.h"
#include "allocation_stacks.h"
#include "allocation_types.h"
#include "drain.h"
#include "encoder.h"
#include "got_hooks.h"
#include "malloc_hooks.h"
#include "mapping_hooks.h"
#include "pages.h"
#include "threads.h"
#include "unwind_modules.h"

enum : uint64_t {
    /// Between two tellings: a fiftieth of what is recorded, within these bounds, and never more
    /// bytes than this in a second.
    TELL_MINIMUM_MS = 100,
    TELL_MAXIMUM_MS = 1000,
    TELL_PART = 50,
    TELL_BYTES_PER_MS = 32,
    ROW_BYTES_LIMIT = 128,
    LOOK_MS = 1000,
    /// Drains after a module came until it is looked at for the last time: it may have been on its way.
    LOOKS = 4,
};

/// Number of a node in the recording by its number in the agent; 0: none yet.
static uint32_t *recorded_nodes;
/// Nodes below this one have been recorded.
static uint32_t next_node;
/// Index of a thread in the recording, plus one, by its number in rows.
static uint32_t *thread_indices;
static wick_buffer rows, types;
static uint64_t next_telling_ms, told_bytes, told_peak;
static uint64_t modules_generation;
static uint32_t looks_left;
/// When places that were left are looked at again.
static uint64_t next_look_ms;
/// Whether anything was ever followed in this recording.
static bool is_in_use;

static bool map_all(void) {
    if (!recorded_nodes) {
        recorded_nodes = wick_pages_map(WICK_STACK_NODE_LIMIT * sizeof(uint32_t));
        thread_indices = wick_pages_map(((size_t)1 << WICK_LIVE_THREAD_BITS) * sizeof(uint32_t));
        rows.bytes = wick_pages_map(WICK_CHUNK_BYTE_LIMIT);
        types.bytes = wick_pages_map(WICK_CHUNK_BYTE_LIMIT);
    }
    return recorded_nodes && thread_indices && rows.bytes && types.bytes;
}

void wick_allocations_begin(void) {
    is_in_use = false;
    rows.byte_count = types.byte_count = 0;
    next_telling_ms = next_look_ms = told_peak = 0;
    next_node = 1;
    modules_generation = 0;
    if (recorded_nodes) {
        wick_pages_drop(recorded_nodes, WICK_STACK_NODE_LIMIT * sizeof(uint32_t));
        wick_pages_drop(thread_indices, ((size_t)1 << WICK_LIVE_THREAD_BITS) * sizeof(uint32_t));
    }
}

// MARK: numbers in the recording

static uint32_t kind_of(uint64_t pc) {
    return pc & WICK_STACK_MARK_TRUNCATED     ? WICK_FRAME_TRUNCATED
           : pc & WICK_FRAME_MARK_INTERRUPTED ? WICK_FRAME_INTERRUPTED
                                              : WICK_FRAME_RETURN_ADDRESS;
}

/// The node in the recording; its nearest ancestor that fits, if the tables are full.
static uint32_t recorded_node(uint32_t number) {
    uint32_t path[WICK_KNOWN_FRAME_LIMIT + 1];
    size_t depth = 0;
    while (number != WICK_STACK_ROOT && !recorded_nodes[number] &&
           depth < sizeof(path) / sizeof(path[0])) {
        path[depth++] = number;
        number = wick_stack_parent(wick_stacks_node(number));
    }
    uint32_t recorded = number == WICK_STACK_ROOT ? 0 : recorded_nodes[number];
    while (depth-- > 0) {
        uint64_t pc = atomic_load_explicit(&wick_stacks_node(path[depth])->pc, memory_order_acquire);
        uint64_t address = pc & ~(WICK_STACK_MARK_TRUNCATED | WICK_FRAME_MARK_INTERRUPTED);
        uint32_t child = wick_encoder_child(wick_drain_definitions(), recorded, address,
                                            (wick_frame_kind)kind_of(pc));
        if (!child) {
            break;
        }
        recorded = recorded_nodes[path[depth]] = child;
    }
    return recorded;
}

/// Stacks are looked up while the modules that they are in are there.
static void record_new_nodes(void) {
    uint32_t count = wick_stacks_count();
    for (; next_node < count; next_node++) {
        // 0: it is just being made, and is met again.
        if (atomic_load_explicit(&wick_stacks_node(next_node)->pc, memory_order_acquire) == 0) {
            return;
        }
        recorded_node(next_node);
    }
}

uint32_t wick_allocations_node(uint32_t number) {
    return recorded_node(number);
}

uint64_t wick_allocations_thread(uint32_t thread) {
    return thread_indices[thread] ? thread_indices[thread] - 1 : 0;
}

static void welcome_threads(void) {
    for (uint32_t slot = 0; slot < wick_threads_count(); slot++) {
        wick_allocation_state *state = wick_allocation_state_of(slot);
        if (!state) {
            continue;
        }
        thread_indices[state->thread] = (uint32_t)wick_drain_thread_index(slot) + 1;
        uintptr_t sp = atomic_load_explicit(&state->seen_sp, memory_order_relaxed);
        uintptr_t low, high;
        if (sp && atomic_load_explicit(&state->stack_high, memory_order_relaxed) == 0 &&
            wick_drain_stack_bounds(slot, sp, &low, &high)) {
            atomic_store_explicit(&state->stack_low, low, memory_order_relaxed);
            // Release: low is seen before high.
            atomic_store_explicit(&state->stack_high, high, memory_order_release);
        }
    }
}

// MARK: telling

static void write_types(void) {
    wick_drain_write(WICK_CHUNK_TYPES, &types);
}

static void add_type(uint32_t id, wick_type_kind kind, const char *name) {
    size_t length = strlen(name);
    if (types.byte_count + length + ROW_BYTES_LIMIT > WICK_CHUNK_BYTE_LIMIT) {
        write_types();
    }
    wick_buffer_varint(&types, id);
    wick_buffer_varint(&types, kind);
    wick_buffer_string(&types, name, length);
}

static void write_rows(void) {
    told_bytes += rows.byte_count;
    wick_drain_write(WICK_CHUNK_ALLOCATIONS, &rows);
}

static void begin_rows(uint64_t elapsed_ms, bool has_mark, uint64_t interval) {
    wick_buffer_varint(&rows, elapsed_ms);
    wick_buffer_varint(&rows, has_mark);
    wick_buffer_varint(&rows, interval);
}

typedef struct {
    uint64_t elapsed_ms, peak;
    bool has_mark;
} telling;

static uint64_t whole(uint64_t objects) {
    return (objects + (1u << (WICK_COUNT_FRACTION_BITS - 1))) >> WICK_COUNT_FRACTION_BITS;
}

static void add_zigzag(int64_t value) {
    wick_buffer_varint(&rows, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

/// What is left of a total behind its state at the mark.
static uint64_t behind(uint64_t total, uint64_t at_mark) {
    return total > at_mark ? total - at_mark : 0;
}

static void tell_row(wick_count_row *row, wick_count_side *side, void *context) {
    const telling *now = context;
    uint64_t key = atomic_load_explicit(&row->key, memory_order_relaxed);
    typeof(side->told) *told = &side->told, next = {
        .followed = atomic_load_explicit(&row->followed, memory_order_relaxed),
        .objects = whole(atomic_load_explicit(&row->objects, memory_order_relaxed)),
        .bytes = atomic_load_explicit(&row->bytes, memory_order_relaxed),
        .temporary = atomic_load_explicit(&row->temporary, memory_order_relaxed),
        .lifetime = atomic_load_explicit(&row->lifetime, memory_order_relaxed)};
    if (atomic_load_explicit(&row->peak_number, memory_order_relaxed) == now->peak) {
        uint64_t objects = atomic_load_explicit(&side->peak_objects, memory_order_relaxed);
        next.objects_after = behind(next.objects, whole(objects));
        next.bytes_after = behind(next.bytes,
                                  atomic_load_explicit(&side->peak_bytes, memory_order_relaxed));
    }
    if (now->has_mark) {
        told->objects_after = told->bytes_after = 0;
    }
    uint32_t owner = key >> 22 & ((1u << WICK_LIVE_THREAD_BITS) - 1);
    // A thread that has come since is welcomed before the next telling.
    if (memcmp(&next, told, sizeof(next)) == 0 || !thread_indices[owner]) {
        return;
    }
    if (rows.byte_count + ROW_BYTES_LIMIT > WICK_CHUNK_BYTE_LIMIT) {
        write_rows();
        begin_rows(now->elapsed_ms, false, wick_allocation_interval());
    }
    wick_allocation_row kind = (wick_allocation_row)(key >> 20 & 3);
    wick_buffer_varint(&rows, (uint64_t)recorded_node(key & (WICK_STACK_NODE_LIMIT - 1)) << 2 | kind);
    wick_buffer_varint(&rows, wick_allocations_thread(owner));
    if (kind != WICK_ROW_ALLOCATED) {
        wick_buffer_varint(&rows, key >> 40 & ((1u << 20) - 1));
    }
    wick_buffer_varint(&rows, next.followed - told->followed);
    if (kind <= WICK_ROW_FREED) {
        wick_buffer_varint(&rows, next.objects - told->objects);
        wick_buffer_varint(&rows, next.bytes - told->bytes);
        add_zigzag((int64_t)(next.objects_after - told->objects_after));
        add_zigzag((int64_t)(next.bytes_after - told->bytes_after));
    }
    if (kind == WICK_ROW_FREED) {
        wick_buffer_varint(&rows, next.temporary - told->temporary);
        wick_buffer_varint(&rows, next.lifetime - told->lifetime);
    }
    *told = next;
}

static void tell(uint64_t elapsed_ms) {
    wick_types_resolve(add_type);
    write_types();
    uint64_t bytes;
    telling now = {.elapsed_ms = elapsed_ms, .peak = wick_allocation_peak(&bytes)};
    now.has_mark = now.peak != told_peak;
    told_peak = now.peak;
    told_bytes = 0;
    begin_rows(elapsed_ms, now.has_mark, wick_allocation_interval());
    for (uint32_t slot = 0; slot < wick_threads_count(); slot++) {
        wick_allocation_state *state = wick_allocation_state_of(slot);
        if (state) {
            wick_counts_each(&state->counts, tell_row, &now);
        }
    }
    write_rows();
    uint64_t pause = elapsed_ms / TELL_PART;
    pause = pause < TELL_MINIMUM_MS ? TELL_MINIMUM_MS
            : pause > TELL_MAXIMUM_MS ? TELL_MAXIMUM_MS
                                      : pause;
    uint64_t bound = told_bytes / TELL_BYTES_PER_MS;
    next_telling_ms = elapsed_ms + (bound > pause ? bound : pause);
}

// MARK: the writer's calls

static void look_at_modules(uint64_t elapsed_ms) {
    const wick_unwind_list *list = wick_unwind_published();
    uint64_t generation = list ? list->generation : 0;
    if (generation != modules_generation) {
        modules_generation = generation;
        looks_left = LOOKS;
    }
    bool looks_again = wick_got_has_left() && elapsed_ms >= next_look_ms;
    if (looks_left > 0 || looks_again) {
        looks_left -= looks_left > 0;
        next_look_ms = elapsed_ms + LOOK_MS;
        wick_malloc_hook_again();
        wick_mapping_hook_again();
    }
}

/// Whether there is, or may be, anything to tell.
static bool begin_use(void) {
    is_in_use = is_in_use || (wick_allocation_is_in_use() && map_all());
    return is_in_use;
}

/// Threads, stacks and modules of which nobody has been told yet.
static void look(uint64_t elapsed_ms) {
    wick_allocation_tick((uint32_t)elapsed_ms);
    look_at_modules(elapsed_ms);
    welcome_threads();
    record_new_nodes();
}

void wick_allocations_drain(uint64_t elapsed_ms) {
    if (!begin_use()) {
        return;
    }
    look(elapsed_ms);
    if (elapsed_ms >= next_telling_ms) {
        tell(elapsed_ms);
    }
}

void wick_allocations_tell(uint64_t elapsed_ms) {
    if (is_in_use) {
        look(elapsed_ms);
        tell(elapsed_ms);
    }
}

void wick_allocations_let_go(uint32_t slot) {
    if (wick_allocation_state_of(slot)) {
        wick_allocation_release(slot);
    }
}

void wick_allocations_look(void) {
    if (begin_use()) {
        wick_snapshot_look();
    }
}

void wick_allocations_write_last(uint64_t elapsed_ms) {
    if (!begin_use()) {
        return;
    }
    welcome_threads();
    record_new_nodes();
    wick_allocation_tell_peak();
    if (next_telling_ms == 0 && wick_allocation_latest_interval() != 0) {
        // It has ended before it was first told how allocations are followed.
        begin_rows(0, false, wick_allocation_latest_interval());
        write_rows();
    }
    wick_snapshot_take();
    tell(elapsed_ms);
    wick_snapshot_write(&rows, elapsed_ms);
}

void wick_allocations_forget_addresses(void) {
    if (is_in_use) {
        wick_stacks_forget_addresses();
        wick_types_forget_addresses();
    }
}

void wick_allocations_stats(void (*add)(wick_stat key, uint64_t value)) {
    if (!is_in_use) {
        return;
    }
    wick_allocation_totals totals = wick_allocation_lost();
    uint64_t peak_bytes;
    wick_allocation_peak(&peak_bytes);
    add(WICK_STAT_LOST_ALLOCATIONS, totals.lost_allocations);
    add(WICK_STAT_LOST_FREES, totals.lost_frees);
    add(WICK_STAT_UNKNOWN_FREES, totals.unknown_frees);
    add(WICK_STAT_ALLOCATION_MEMORY, totals.byte_count);
    add(WICK_STAT_PEAK_BYTES, peak_bytes);
    add(WICK_STAT_LEFT_OUT_FRAMES, wick_stacks_refused());
}
