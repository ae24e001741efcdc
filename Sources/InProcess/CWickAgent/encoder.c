#include "encoder.h"

#include <string.h>

#include "images.h"
#include "pages.h"
#include "unwind.h"

enum : uint32_t {
    INITIAL_CAPACITY = 1 << 12,
    /// Nodes and frames that are kept at most: 16 bytes each at a load of ½ give 256 MiB.
    ENTRY_LIMIT = 1 << 23,
};

/// Open addressing; key 0 is an empty place.
typedef struct {
    struct entry {
        uint64_t key;
        uint32_t value;
    } *entries;
    uint32_t capacity, count;
} table;

/// (frame address, kind) → frame id; (parent node, frame id) → node id; whole stack → node id.
static table frame_table, node_table, stack_table;
static uint32_t frame_count, node_count;
/// The node that the next record refers to.
static uint32_t cursor;
/// Previous address that was defined outside all modules.
static uint64_t last_free_address;

static uint64_t mix(uint64_t x) {
    // Finalizer of MurmurHash3: every input bit reaches every output bit.
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

static bool table_reset(table *table) {
    wick_pages_unmap(table->entries, table->capacity * sizeof(struct entry));
    table->entries = wick_pages_map(INITIAL_CAPACITY * sizeof(struct entry));
    table->capacity = table->entries ? INITIAL_CAPACITY : 0;
    table->count = 0;
    return table->entries;
}

static struct entry *table_find(const table *table, uint64_t key) {
    uint32_t place = (uint32_t)mix(key) & (table->capacity - 1);
    while (table->entries[place].key != 0 && table->entries[place].key != key) {
        place = (place + 1) & (table->capacity - 1);
    }
    return &table->entries[place];
}

/// Makes room for one more entry; false if the table may not grow.
static bool table_reserve(table *table) {
    if (table->count < table->capacity / 2) {
        return true;
    }
    uint32_t capacity = table->capacity * 2;
    struct entry *entries =
        table->count < ENTRY_LIMIT ? wick_pages_map(capacity * sizeof(struct entry)) : NULL;
    if (!entries) {
        return false;
    }
    struct entry *old = table->entries;
    uint32_t old_capacity = table->capacity;
    table->entries = entries;
    table->capacity = capacity;
    for (uint32_t i = 0; i < old_capacity; i++) {
        if (old[i].key) {
            *table_find(table, old[i].key) = old[i];
        }
    }
    wick_pages_unmap(old, old_capacity * sizeof(struct entry));
    return true;
}

static void table_set(table *table, struct entry *entry, uint64_t key, uint32_t value) {
    table->count += entry->key == 0;
    *entry = (struct entry){.key = key, .value = value};
}

void wick_buffer_varint(wick_buffer *buffer, uint64_t value) {
    while (value >= 0x80) {
        buffer->bytes[buffer->byte_count++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    buffer->bytes[buffer->byte_count++] = (uint8_t)value;
}

void wick_buffer_string(wick_buffer *buffer, const void *bytes, size_t byte_count) {
    size_t space = WICK_CHUNK_BYTE_LIMIT - buffer->byte_count;
    space = space > 10 ? space - 10 : 0;
    byte_count = byte_count < space ? byte_count : space;
    wick_buffer_varint(buffer, byte_count);
    memcpy(buffer->bytes + buffer->byte_count, bytes, byte_count);
    buffer->byte_count += byte_count;
}

bool wick_encoder_reset(void) {
    frame_count = 0;
    node_count = 0;
    cursor = 0;
    last_free_address = 0;
    bool frames = table_reset(&frame_table);
    bool nodes = table_reset(&node_table);
    return table_reset(&stack_table) && frames && nodes;
}

void wick_encoder_forget_addresses(void) {
    if (frame_table.capacity && stack_table.capacity) {
        memset(frame_table.entries, 0, frame_table.capacity * sizeof(struct entry));
        memset(stack_table.entries, 0, stack_table.capacity * sizeof(struct entry));
        frame_table.count = stack_table.count = 0;
    }
}

static void write_place(wick_buffer *buffer, uint64_t operand) {
    wick_buffer_varint(buffer, operand << 2 | WICK_RECORD_PLACE);
}

void wick_encoder_thread(wick_buffer *buffer, uint64_t thread_index) {
    write_place(buffer, thread_index << 1);
}

static void move_cursor(wick_buffer *buffer, uint32_t node) {
    if (cursor != node) {
        write_place(buffer, (uint64_t)(node_count - node) << 1 | 1);
        cursor = node;
    }
}

/// User addresses have 47 (or 56) bits: three are free for the kind, one makes the key non-zero.
static uint64_t frame_key(uint64_t address, wick_frame_kind kind) {
    return address << 4 | (uint64_t)kind << 1 | 1;
}

static uint64_t node_key(uint32_t parent, uint32_t frame) {
    return ((uint64_t)parent << 32 | frame) + 1;
}

/// Writes a frame that is not known yet.
static void write_frame(wick_buffer *buffer, uint64_t address, wick_frame_kind kind) {
    uint64_t module = 0;
    uint64_t relative = address;
    uint64_t *last = &last_free_address;
    if (kind != WICK_FRAME_TRUNCATED) {
        // A return address can be the first byte after its module: the call is before it.
        wick_image *image = wick_images_find(address - (kind == WICK_FRAME_RETURN_ADDRESS));
        if (image) {
            module = wick_images_number(image);
            relative = address - image->load_bias;
            last = &image->last_address;
        }
    }
    bool is_short = module > 0 && kind <= WICK_FRAME_RETURN_ADDRESS;
    uint64_t operand = is_short ? module << 1 | kind : 0;
    wick_buffer_varint(buffer, operand << 2 | WICK_RECORD_FRAME);
    if (!is_short) {
        wick_buffer_varint(buffer, module << 3 | kind);
    }
    int64_t delta = (int64_t)(relative - *last);
    *last = relative;
    wick_buffer_varint(buffer, (uint64_t)delta << 1 ^ (uint64_t)(delta >> 63));
}

/// Adds the node of a frame below the cursor, which is not known there. False if a table is full.
static bool add_node(wick_buffer *buffer, uint64_t address, wick_frame_kind kind) {
    if (!table_reserve(&frame_table) || !table_reserve(&node_table)) {
        return false;
    }
    uint64_t key = frame_key(address, kind);
    struct entry *frame = table_find(&frame_table, key);
    if (frame->key) {
        uint64_t back = frame_count - 1 - frame->value;
        wick_buffer_varint(buffer, back << 2 | WICK_RECORD_NODE);
    } else {
        write_frame(buffer, address, kind);
        table_set(&frame_table, frame, key, frame_count++);
    }
    uint64_t path = node_key(cursor, frame->value);
    cursor = ++node_count;
    table_set(&node_table, table_find(&node_table, path), path, cursor);
    return true;
}

/// The known node of a frame below a node; 0 if there is none.
static uint32_t find_node(uint32_t parent, uint64_t address, wick_frame_kind kind) {
    const struct entry *frame = table_find(&frame_table, frame_key(address, kind));
    return frame->key ? table_find(&node_table, node_key(parent, frame->value))->value : 0;
}

static uint64_t stack_key(const wick_raw_sample *sample) {
    uint64_t hash = sample->truncation + 1;
    for (size_t i = 0; i < sample->frame_count; i++) {
        hash = (hash ^ sample->frames[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return mix(hash) | 1;
}

/// The frames of a sample by their place from the root: a truncation mark comes first.
static uint64_t frame_at(const wick_raw_sample *sample, size_t place, wick_frame_kind *kind) {
    if (sample->truncation && place-- == 0) {
        *kind = WICK_FRAME_TRUNCATED;
        return sample->truncation;
    }
    size_t from_leaf = sample->frame_count - 1 - place;
    uint64_t frame = sample->frames[from_leaf];
    *kind = from_leaf == 0                        ? WICK_FRAME_INSTRUCTION
            : frame & WICK_FRAME_MARK_INTERRUPTED ? WICK_FRAME_INTERRUPTED
                                                  : WICK_FRAME_RETURN_ADDRESS;
    return frame & ~WICK_FRAME_MARK_INTERRUPTED;
}

/// Moves the cursor to the node of a whole stack. False if a table is full on the way.
static bool go_to_stack(wick_buffer *buffer, const wick_raw_sample *sample) {
    uint64_t key = stack_key(sample);
    const struct entry *known = table_find(&stack_table, key);
    if (known->key) {
        move_cursor(buffer, known->value);
        return true;
    }
    size_t depth = sample->frame_count + (sample->truncation != 0);
    uint32_t node = 0;
    size_t place = 0;
    wick_frame_kind kind;
    for (; place < depth; place++) {
        uint64_t address = frame_at(sample, place, &kind);
        uint32_t next = find_node(node, address, kind);
        if (next == 0) {
            break;
        }
        node = next;
    }
    move_cursor(buffer, node);
    for (; place < depth; place++) {
        uint64_t address = frame_at(sample, place, &kind);
        if (!add_node(buffer, address, kind)) {
            return false;
        }
    }
    if (table_reserve(&stack_table)) {
        table_set(&stack_table, table_find(&stack_table, key), key, cursor);
    }
    return true;
}

uint32_t wick_encoder_child(wick_buffer *buffer, uint32_t parent, uint64_t address,
                            wick_frame_kind kind) {
    uint32_t known = find_node(parent, address, kind);
    if (known) {
        return known;
    }
    move_cursor(buffer, parent);
    return add_node(buffer, address, kind) ? cursor : 0;
}

bool wick_encoder_sample(wick_buffer *buffer, const wick_raw_sample *sample) {
    if (!go_to_stack(buffer, sample)) {
        return false;
    }
    uint64_t weighted = sample->weight > 1;
    wick_buffer_varint(buffer, (sample->elapsed << 1 | weighted) << 2 | WICK_RECORD_SAMPLE);
    if (weighted) {
        wick_buffer_varint(buffer, sample->weight);
    }
    return true;
}
