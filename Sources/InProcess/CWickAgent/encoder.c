#include "encoder.h"

#include <string.h>

#include "images.h"
#include "pages.h"

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

void wick_encoder_thread(wick_buffer *buffer, uint64_t thread_index) {
    wick_buffer_varint(buffer, thread_index << 2 | WICK_RECORD_THREAD);
}

/// The id of a frame, written on first use; −1 if the table is full.
static int64_t frame_id(wick_buffer *buffer, uint64_t address, wick_frame_kind kind) {
    // User addresses have 47 (or 56) bits: two are free for the kind, one makes the key non-zero.
    uint64_t key = address << 3 | (uint64_t)kind << 1 | 1;
    struct entry *entry = table_find(&frame_table, key);
    if (entry->key) {
        return entry->value;
    }
    if (!table_reserve(&frame_table)) {
        return -1;
    }
    entry = table_find(&frame_table, key);
    uint64_t module = 0;
    uint64_t relative = address;
    uint64_t *last = &last_free_address;
    if (kind != WICK_FRAME_TRUNCATED) {
        // A return address can be the first byte after its module: the call is before it.
        wick_image *image = wick_images_find(address - (kind == WICK_FRAME_RETURN_ADDRESS));
        if (image) {
            module = image->id;
            relative = address - image->load_bias;
            last = &image->last_address;
        }
    }
    int64_t delta = (int64_t)(relative - *last);
    *last = relative;
    wick_buffer_varint(buffer, (module << 2 | kind) << 2 | WICK_RECORD_FRAME);
    wick_buffer_varint(buffer, (uint64_t)delta << 1 ^ (uint64_t)(delta >> 63));
    table_set(&frame_table, entry, key, frame_count);
    return frame_count++;
}

/// The node of a frame below a parent, written on first use; −1 if a table is full.
static int64_t node_id(wick_buffer *buffer, uint32_t parent, uint64_t address,
                       wick_frame_kind kind) {
    int64_t frame = frame_id(buffer, address, kind);
    if (frame < 0) {
        return -1;
    }
    uint64_t key = ((uint64_t)parent << 32 | (uint32_t)frame) + 1;
    struct entry *entry = table_find(&node_table, key);
    if (entry->key) {
        return entry->value;
    }
    if (!table_reserve(&node_table)) {
        return -1;
    }
    uint32_t id = ++node_count;
    table_set(&node_table, table_find(&node_table, key), key, id);
    wick_buffer_varint(buffer, (uint64_t)(id - parent) << 2 | WICK_RECORD_NODE);
    wick_buffer_varint(buffer, frame_count - 1 - (uint64_t)frame);
    return id;
}

static uint64_t stack_key(const wick_raw_sample *sample) {
    uint64_t hash = sample->truncation + 1;
    for (size_t i = 0; i < sample->frame_count; i++) {
        hash = (hash ^ sample->frames[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return mix(hash) | 1;
}

/// The node of a whole stack. `*complete` becomes false if a table is full on the way.
static uint32_t stack_node(wick_buffer *buffer, const wick_raw_sample *sample, bool *complete) {
    uint64_t key = stack_key(sample);
    struct entry *known = table_find(&stack_table, key);
    if (known->key) {
        return known->value;
    }
    int64_t node = 0;
    if (sample->truncation) {
        node = node_id(buffer, 0, sample->truncation, WICK_FRAME_TRUNCATED);
    }
    for (size_t i = sample->frame_count; i > 0 && node >= 0; i--) {
        wick_frame_kind kind = i == 1 ? WICK_FRAME_INSTRUCTION : WICK_FRAME_RETURN_ADDRESS;
        int64_t next = node_id(buffer, (uint32_t)node, sample->frames[i - 1], kind);
        if (next < 0) {
            *complete = false;
            return (uint32_t)node;
        }
        node = next;
    }
    if (node < 0) {
        *complete = false;
        return 0;
    }
    if (table_reserve(&stack_table)) {
        table_set(&stack_table, table_find(&stack_table, key), key, (uint32_t)node);
    }
    return (uint32_t)node;
}

bool wick_encoder_sample(wick_buffer *buffer, const wick_raw_sample *sample) {
    bool complete = true;
    uint32_t node = stack_node(buffer, sample, &complete);
    if (!complete) {
        return false;
    }
    uint64_t weighted = sample->weight > 1;
    wick_buffer_varint(buffer, (sample->elapsed_us << 1 | weighted) << 2 | WICK_RECORD_SAMPLE);
    wick_buffer_varint(buffer, node_count - node);
    if (weighted) {
        wick_buffer_varint(buffer, sample->weight);
    }
    return true;
}
