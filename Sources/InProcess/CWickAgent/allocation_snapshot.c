#include "allocation_snapshot.h"

#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "allocation.h"
#include "allocation_drain.h"
#include "allocation_live.h"
#include "allocation_stacks.h"
#include "allocation_types.h"
#include "drain.h"
#include "handler.h"
#include "pages.h"
#include "raw_syscall.h"

enum : uint32_t {
    /// Blocks whose first words are read by one system call.
    BATCH = 256,
    INITIAL_CAPACITY = 1 << 12,
    /// Groups that are kept at most.
    GROUP_LIMIT = 1 << 22,
    ROW_BYTES_LIMIT = 80,
    /// Ages are told to this part of the recording's length.
    AGE_PARTS = 512,
};

typedef struct {
    uint32_t node, thread, type, time_ms;
    uint64_t followed, objects, bytes;
} group;

/// Open addressing; nothing was followed where the place is empty.
static group *groups;
static uint32_t capacity, group_count;
static struct {
    uintptr_t address;
    wick_live_block block;
} batch[BATCH];
static uint32_t batch_count;
/// Times are told to this.
static uint32_t grain_ms;

static group *find(const group *wanted) {
    uint64_t hash = (wanted->node * UINT64_C(0x9e3779b97f4a7c15)) ^
                    (wanted->thread * UINT64_C(0xc2b2ae3d27d4eb4f)) ^
                    (wanted->type * UINT64_C(0x165667b19e3779f9)) ^
                    (wanted->time_ms * UINT64_C(0xff51afd7ed558ccd));
    uint32_t place = (uint32_t)(hash ^ hash >> 32) & (capacity - 1);
    while (groups[place].followed &&
           memcmp(&groups[place], wanted, offsetof(group, followed)) != 0) {
        place = (place + 1) & (capacity - 1);
    }
    return &groups[place];
}

/// Doubles the table; false if there is no memory for it.
static bool grow(void) {
    group *old = groups;
    uint32_t old_capacity = capacity;
    uint32_t new_capacity = old ? capacity * 2 : INITIAL_CAPACITY;
    group *mapped = new_capacity <= GROUP_LIMIT ? wick_pages_map(new_capacity * sizeof(group)) : NULL;
    if (!mapped) {
        return false;
    }
    groups = mapped;
    capacity = new_capacity;
    for (uint32_t i = 0; i < old_capacity; i++) {
        if (old[i].followed) {
            *find(&old[i]) = old[i];
        }
    }
    wick_pages_unmap(old, old_capacity * sizeof(group));
    return true;
}

static void add(const group *one) {
    if (group_count >= capacity / 2 && !grow() && group_count >= capacity - 1) {
        return;  // They stay without a type: what is not listed is live all the same.
    }
    group *place = find(one);
    if (!place->followed) {
        *place = *one;
        group_count++;
        return;
    }
    place->followed += one->followed;
    place->objects += one->objects;
    place->bytes += one->bytes;
}

/// Reads the first words of the blocks; those that cannot be read are 0.
static void read_words(uintptr_t *words) {
    struct iovec remote[BATCH];
    for (uint32_t i = 0; i < batch_count; i++) {
        remote[i] = (struct iovec){(void *)batch[i].address, sizeof(uintptr_t)};
        words[i] = 0;
    }
    long pid = wick_raw_syscall0(SYS_getpid);
    if (!wick_handler_windows_allowed()) {
        return;
    }
    for (uint32_t done = 0; done < batch_count;) {
        struct iovec local = {words + done, (batch_count - done) * sizeof(uintptr_t)};
        long copied = wick_raw_syscall6(SYS_process_vm_readv, pid, (long)&local, 1,
                                        (long)(remote + done), batch_count - done, 0);
        // Up to the first that was freed and unmapped, which is passed over.
        done += copied > 0 ? (uint32_t)copied / sizeof(uintptr_t) : 0;
        done += done < batch_count;
    }
}

static void finish_batch(void) {
    uintptr_t words[BATCH];
    read_words(words);
    for (uint32_t i = 0; i < batch_count; i++) {
        wick_live_block block = batch[i].block;
        uint64_t weight = wick_allocation_weight(wick_live_size(block), wick_live_interval(block));
        group one = {.node = wick_live_node(block),
                     .thread = wick_live_thread(block),
                     .time_ms = wick_live_time_ms(block) / grain_ms * grain_ms,
                     .followed = 1,
                     .objects = weight,
                     .bytes = wick_allocation_bytes(wick_live_size(block), weight)};
        if (wick_live_size(block) >= sizeof(uintptr_t)) {
            one.type = wick_type_of(words[i], &wick_stacks_node(one.node)->misses);
        }
        add(&one);
    }
    batch_count = 0;
}

static void see(uintptr_t address, wick_live_block block, void *context) {
    (void)context;
    batch[batch_count].address = address;
    batch[batch_count++].block = block;
    if (batch_count == BATCH) {
        finish_batch();
    }
}

void wick_snapshot_take(void) {
    group_count = 0;
    grain_ms = wick_allocation_time() / AGE_PARTS + 1;
    if (capacity == 0 && !grow()) {
        return;
    }
    wick_live_each(see, NULL);
    finish_batch();
}

static void begin(wick_buffer *buffer, uint64_t elapsed_ms) {
    wick_buffer_varint(buffer, elapsed_ms);
}

void wick_snapshot_write(wick_buffer *buffer, uint64_t elapsed_ms) {
    begin(buffer, elapsed_ms);
    for (uint32_t i = 0; i < capacity; i++) {
        const group *one = &groups[i];
        if (!one->followed) {
            continue;
        }
        if (buffer->byte_count + ROW_BYTES_LIMIT > WICK_CHUNK_BYTE_LIMIT) {
            wick_drain_write(WICK_CHUNK_LIVE, buffer);
            begin(buffer, elapsed_ms);
        }
        wick_buffer_varint(buffer, wick_allocations_node(one->node));
        wick_buffer_varint(buffer, wick_allocations_thread(one->thread));
        wick_buffer_varint(buffer, one->type);
        wick_buffer_varint(buffer, one->time_ms);
        wick_buffer_varint(buffer, one->followed);
        wick_buffer_varint(buffer, (one->objects + (1u << (WICK_COUNT_FRACTION_BITS - 1))) >>
                                       WICK_COUNT_FRACTION_BITS);
        wick_buffer_varint(buffer, one->bytes);
    }
    wick_drain_write(WICK_CHUNK_LIVE, buffer);
    wick_pages_unmap(groups, capacity * sizeof(group));
    groups = NULL;
    capacity = 0;
}
