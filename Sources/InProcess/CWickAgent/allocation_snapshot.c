#include "allocation_snapshot.h"

#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

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
    /// Blocks that are looked at beforehand: at most half as many.
    LOOK_LIMIT = 1 << 25,
    ROW_BYTES_LIMIT = 80,
    /// Ages are told to this part of the recording's length.
    AGE_PARTS = 512,
    READ_MS = 1000,
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

/// What a block was when it was looked at; address 0: none. Open addressing.
typedef struct {
    uintptr_t address;
    /// Tells it from a later block at its address.
    uint64_t node_time;
    uint32_t type;
} looked_at;

/// No block is read after this: the host waits. A million are, in the time that there is.
static uint64_t deadline_ms;

static looked_at *looks;
static uint32_t look_capacity, look_count;
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

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/// Reads the first words of the blocks; those that cannot be read, or not in time, are 0.
static void read_words(uintptr_t *words) {
    struct iovec remote[BATCH];
    for (uint32_t i = 0; i < batch_count; i++) {
        remote[i] = (struct iovec){(void *)batch[i].address, sizeof(uintptr_t)};
        words[i] = 0;
    }
    long pid = wick_raw_syscall0(SYS_getpid);
    if (!wick_handler_windows_allowed() || now_ms() > deadline_ms) {
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

static looked_at *find_look(uintptr_t address) {
    uint64_t hash = (address >> 4) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t place = (uint32_t)(hash >> 32) & (look_capacity - 1);
    while (looks[place].address && looks[place].address != address) {
        place = (place + 1) & (look_capacity - 1);
    }
    return &looks[place];
}

static uint32_t type_of(uintptr_t word, wick_live_block block) {
    return wick_live_size(block) < sizeof(word)
               ? 0
               : wick_type_of(word, &wick_stacks_node(wick_live_node(block))->misses);
}

static void keep_looks(const uintptr_t *words) {
    for (uint32_t i = 0; i < batch_count && look_count < look_capacity / 2; i++) {
        looked_at *place = find_look(batch[i].address);
        look_count += place->address == 0;
        *place = (looked_at){batch[i].address, batch[i].block.node_time,
                             type_of(words[i], batch[i].block)};
    }
}

static void add_block(wick_live_block block, uint32_t type) {
    uint64_t weight = wick_allocation_weight(wick_live_size(block), wick_live_interval(block));
    add(&(group){.node = wick_live_node(block),
                 .thread = wick_live_thread(block),
                 .type = type,
                 .time_ms = wick_live_time_ms(block) / grain_ms * grain_ms,
                 .followed = 1,
                 .objects = weight,
                 .bytes = wick_allocation_bytes(wick_live_size(block), weight)});
}

static void add_blocks(const uintptr_t *words) {
    for (uint32_t i = 0; i < batch_count; i++) {
        add_block(batch[i].block, type_of(words[i], batch[i].block));
    }
}

/// What is done with the blocks of a batch and what they begin with.
typedef void batch_work(const uintptr_t *words);

static void finish_batch(batch_work *work) {
    uintptr_t words[BATCH];
    read_words(words);
    work(words);
    batch_count = 0;
}

static void see(uintptr_t address, wick_live_block block, void *context) {
    batch[batch_count].address = address;
    batch[batch_count++].block = block;
    if (batch_count == BATCH) {
        finish_batch(*(batch_work **)context);
    }
}

/// As `see`, but for blocks whose type is known from the look.
static void see_or_add(uintptr_t address, wick_live_block block, void *context) {
    const looked_at *look = looks ? find_look(address) : NULL;
    if (look && look->address && look->node_time == block.node_time) {
        add_block(block, look->type);
    } else {
        see(address, block, context);
    }
}

static void count_one(uintptr_t address, wick_live_block block, void *context) {
    (void)address;
    (void)block;
    ++*(uint32_t *)context;
}

static void forget_looks(void) {
    wick_pages_unmap(looks, look_capacity * sizeof(looked_at));
    looks = NULL;
    look_capacity = look_count = 0;
}

void wick_snapshot_look(void) {
    uint32_t count = 0;
    wick_live_each(count_one, &count);
    forget_looks();
    look_capacity = INITIAL_CAPACITY;
    // Others come meanwhile.
    while (look_capacity / 4 < count && look_capacity < LOOK_LIMIT) {
        look_capacity *= 2;
    }
    looks = wick_pages_map(look_capacity * sizeof(looked_at));
    deadline_ms = now_ms() + READ_MS;
    batch_work *work = keep_looks;
    if (looks) {
        wick_live_each(see, &work);
        finish_batch(work);
    } else {
        look_capacity = 0;
    }
}

void wick_snapshot_take(void) {
    group_count = 0;
    grain_ms = wick_allocation_time() / AGE_PARTS + 1;
    if (capacity == 0 && !grow()) {
        return;
    }
    batch_work *work = add_blocks;
    wick_live_each(see_or_add, &work);
    finish_batch(work);
    forget_looks();
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
