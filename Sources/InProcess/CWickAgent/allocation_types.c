// SIGNAL-SAFE: wick_type_of calls only wick_unwind_published, which loads a pointer, and is used in
// malloc hooks; everything else is the writer thread's.
//
// The table of words. One slot is one 64-bit word, so that it changes as a whole or not at all:
//
//   slot   │ address >> 3: 45 bits │ id: 19 bits │     0: empty
//                                    id 0: the word is no type
//   line   8 slots, one cache line; a word is in the line of its hash or nowhere
//
// Who may change what, and why nobody is ever misled:
//
//   empty, or no type ─► word with a new id     hooks, by compare-and-exchange
//   word with its id  ─► no type, or empty      the writer alone
//
// A slot that a hook has read as its word's keeps that meaning for the hook, as ids are never given
// twice: whatever happens to the slot, the id goes on to mean this word. So words that are no type
// are a cache that is overwritten, and never crowd out types. Two hooks may give one word two ids
// when the writer frees a slot between their looks; both ids are then named alike.
//
// Ids last because words are asked about at a bounded rate, which types raise. Words of the heap
// have an allowance of their own, as a C program may have as many as blocks, but few of them are
// types: metadata of generic classes. The others are in modules.
#include "allocation_types.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "allocation_type_names.h"
#include "pages.h"
#include "unwind_modules.h"

enum : uint32_t {
    ID_BITS = 19,
    ID_LIMIT = 1u << ID_BITS,
    /// Ids that words of modules can still have when those of the heap get none any more.
    MODULE_ID_RESERVE = 1u << 16,
    LINE_SLOT_COUNT = 8,
    LINE_BITS = 13,
    LINE_COUNT = 1u << LINE_BITS,
    /// Lines are looked through by the writer a page at a time.
    PAGE_LINE_COUNT = 64,
    PAGE_COUNT = LINE_COUNT / PAGE_LINE_COUNT,
    ADDRESS_SHIFT = 3,
    ADDRESS_BITS = 48,
};

enum : uint32_t {
    /// Unknown words that a stack may ask about at once; then those of modules each 16th time,
    /// others each 1024th.
    STACK_MISS_LIMIT = 16,
    MODULE_MISS_STRIDE = 16,
    HEAP_MISS_STRIDE = 1024,
};

/// Where a word points to, and so whose allowance asking about it takes from.
enum { IN_MODULE, ON_HEAP, PLACE_COUNT };

enum : int32_t {
    /// Words that may be asked about before the writer has looked at any, and the most that is
    /// saved up; and what one that is a type is worth.
    ALLOWANCE = 1 << 14,
    ALLOWANCE_PER_TYPE = 64,
    /// The allowance of a second is this part of the ids that are left, which so last for days.
    ALLOWANCE_ID_SHARE = 1 << 15,
};

typedef struct {
    alignas(64) _Atomic uint64_t slots[LINE_SLOT_COUNT];
} line;

static _Atomic(line *) table;
static _Atomic uint32_t last_id;
static _Atomic int32_t allowances[PLACE_COUNT];
/// Pages of lines that have new words.
static _Atomic uint8_t dirty[PAGE_COUNT];

/// What only the writer touches.
static struct {
    /// By id: 0 if it is not named, else a hash of its name.
    uint32_t *name_hashes;
    /// The modules at the latest look, and whether there are others now: then words that were no
    /// types may be some.
    const wick_unwind_list *modules;
    bool has_other_modules;
    /// Whether words that are types may be others now.
    bool is_forgetful;
    /// Whether a recording has begun.
    bool is_new;
    time_t allowance_second;
} writer;

static uint64_t key_of(uintptr_t word) {
    return (uint64_t)word >> ADDRESS_SHIFT << ID_BITS;
}

static uintptr_t word_of(uint64_t slot) {
    return (uintptr_t)(slot >> ID_BITS << ADDRESS_SHIFT);
}

static uint32_t id_of(uint64_t slot) {
    return (uint32_t)slot & (ID_LIMIT - 1);
}

static uint64_t hash_of(uint64_t key) {
    return (key >> ID_BITS) * 0x9e3779b97f4a7c15u;
}

/// Whether the line has the word; `slot` is then as it was read.
static inline bool find(const line *line, uint64_t key, uint64_t *slot) {
    for (uint32_t i = 0; i < LINE_SLOT_COUNT; i++) {
        // Relaxed: nothing is read behind a slot, it is all there is to know.
        *slot = atomic_load_explicit(&line->slots[i], memory_order_relaxed);
        if ((*slot ^ key) >> ID_BITS == 0) {
            return true;
        }
    }
    return false;
}

static bool is_in_module(uintptr_t word) {
    const wick_unwind_list *list = wick_unwind_published();
    size_t low = 0, high = list ? list->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->entries[middle].start <= word) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && word < list->entries[low - 1].end;
}

/// Whether an unknown word may be asked about.
static bool is_worth_asking(uintptr_t word, uint32_t *misses) {
    // Relaxed, and not one operation: threads that share a stack may lose each other's counts.
    uint32_t miss = __atomic_load_n(misses, __ATOMIC_RELAXED);
    __atomic_store_n(misses, miss + 1, __ATOMIC_RELAXED);
    if (miss >= STACK_MISS_LIMIT && miss % MODULE_MISS_STRIDE != 0) {
        return false;
    }
    bool is_on_heap = !is_in_module(word);
    if (is_on_heap && miss >= STACK_MISS_LIMIT && miss % HEAP_MISS_STRIDE != 0) {
        return false;
    }
    // Relaxed: a count that nothing depends on. It may fall below 0, by one for each thread.
    _Atomic int32_t *allowance = &allowances[is_on_heap];
    return atomic_load_explicit(allowance, memory_order_relaxed) > 0 &&
           atomic_fetch_sub_explicit(allowance, 1, memory_order_relaxed) > 0;
}

static uint32_t new_id(void) {
    // The first look keeps the count from running on for ever. Relaxed: the id goes with the slot.
    if (atomic_load_explicit(&last_id, memory_order_relaxed) >= ID_LIMIT - 1) {
        return 0;
    }
    uint32_t id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    return id < ID_LIMIT ? id : 0;
}

/// The slot of a line that a new word may have, and what is in it: an empty one if there is one,
/// else one of no type, by the hash, so that not all words drive out the same. -1: all are taken.
static int free_slot(const line *line, uint64_t hash, uint64_t *old) {
    int found = -1;
    for (uint32_t i = 0; i < LINE_SLOT_COUNT; i++) {
        uint32_t place = ((uint32_t)hash + i) % LINE_SLOT_COUNT;
        uint64_t slot = atomic_load_explicit(&line->slots[place], memory_order_relaxed);
        if (slot == 0 || (found < 0 && id_of(slot) == 0)) {
            *old = slot;
            found = (int)place;
        }
        if (slot == 0) {
            break;
        }
    }
    return found;
}

/// Adds a word that the line did not have; out of line, as it is rare.
__attribute__((noinline)) static uint32_t add(line *line, size_t index, uint64_t hash,
                                              uint64_t key, uint32_t *misses) {
    if (!is_worth_asking(word_of(key), misses)) {
        return 0;
    }
    uint64_t old, known;
    int place = free_slot(line, hash >> 32, &old);
    uint32_t id = place < 0 ? 0 : new_id();
    // Each failure is another thread's (or an interrupted hook's) success: the line fills up.
    for (uint32_t i = 0; id && place >= 0 && i < LINE_SLOT_COUNT; i++) {
        // Relaxed on both sides: the slot is all there is to know.
        if (atomic_compare_exchange_strong_explicit(&line->slots[place], &old, key | id,
                                                    memory_order_relaxed, memory_order_relaxed)) {
            // Release: partner of the acquire in `wick_types_resolve`, which sees the slot then.
            atomic_store_explicit(&dirty[index / PAGE_LINE_COUNT], 1, memory_order_release);
            return id;
        }
        if (find(line, key, &known)) {
            return id_of(known);
        }
        place = free_slot(line, hash >> 32, &old);
    }
    return 0;
}

uint32_t wick_type_of(uintptr_t word, uint32_t *misses) {
    // Not aligned, in the lowest 64 KiB (vm.mmap_min_addr) or of the kernel: no address of ours.
    if (word % 8 != 0 || word < 1u << 16 || word >> ADDRESS_BITS != 0) {
        return 0;
    }
    // Acquire: partner of the release in `wick_types_reset`, with which the pages are there.
    line *lines = atomic_load_explicit(&table, memory_order_acquire);
    if (!lines) {
        return 0;
    }
    uint64_t key = key_of(word), hash = hash_of(key), slot;
    size_t index = hash >> (64 - LINE_BITS);
    if (find(&lines[index], key, &slot)) {
        return id_of(slot);
    }
    return add(&lines[index], index, hash, key, misses);
}

bool wick_types_reset(void) {
    line *lines = atomic_load_explicit(&table, memory_order_relaxed);
    if (!writer.name_hashes) {
        writer.name_hashes = wick_pages_map(ID_LIMIT * sizeof *writer.name_hashes);
    }
    if (!writer.name_hashes) {
        return false;
    }
    if (!lines) {
        lines = wick_pages_map(LINE_COUNT * sizeof *lines);
        if (!lines) {
            return false;
        }
        for (size_t i = 0; i < PLACE_COUNT; i++) {
            atomic_store_explicit(&allowances[i], ALLOWANCE, memory_order_relaxed);
        }
        // Release: partner of the acquire in `wick_type_of`.
        atomic_store_explicit(&table, lines, memory_order_release);
    }
    // Ids stay what they are: hooks may hold them.
    size_t id_count = atomic_load_explicit(&last_id, memory_order_relaxed);
    id_count = id_count < ID_LIMIT ? id_count + 1 : ID_LIMIT;
    memset(writer.name_hashes, 0, id_count * sizeof *writer.name_hashes);
    for (size_t i = 0; i < PAGE_COUNT; i++) {
        atomic_store_explicit(&dirty[i], 1, memory_order_relaxed);
    }
    // What was no type may have become one.
    writer.is_new = true;
    return true;
}

void wick_types_forget_addresses(void) {
    writer.is_forgetful = true;
}

static uint32_t hash_name(const wick_type_text *name, wick_type_kind kind) {
    // FNV-1a.
    uint32_t hash = 2166136261u ^ kind;
    for (size_t i = 0; i < name->byte_count; i++) {
        hash = (hash ^ (uint8_t)name->bytes[i]) * 16777619u;
    }
    return hash ? hash : 1;
}

/// Looks at the word of a slot that has an id; says what the slot shall be.
static uint64_t resolve(wick_type_memory *memory, uint64_t slot, wick_type_visitor *named) {
    // Too large for the writer's stack.
    static wick_type_text name;
    wick_type_kind kind;
    uint32_t id = id_of(slot);
    uint32_t *known = &writer.name_hashes[id];
    if (!wick_type_describe(memory, word_of(slot), &name, &kind)) {
        return *known ? 0 : slot - id;
    }
    uint32_t hash = hash_name(&name, kind);
    if (*known) {
        // At this address there is another type now, which needs another id.
        return *known == hash ? slot : 0;
    }
    *known = hash;
    named(id, kind, name.bytes);
    atomic_fetch_add_explicit(&allowances[!is_in_module(word_of(slot))], ALLOWANCE_PER_TYPE,
                              memory_order_relaxed);
    return slot;
}

static void resolve_line(wick_type_memory *memory, line *line, wick_type_visitor *named) {
    for (uint32_t i = 0; i < LINE_SLOT_COUNT; i++) {
        uint64_t slot = atomic_load_explicit(&line->slots[i], memory_order_relaxed);
        uint64_t next = slot;
        if (id_of(slot)) {
            if (!writer.name_hashes[id_of(slot)] || writer.is_forgetful) {
                next = resolve(memory, slot, named);
            }
        } else if (writer.is_new || (writer.has_other_modules && is_in_module(word_of(slot)))) {
            next = 0;
        }
        // Relaxed: the slot is all there is to know. Fails if a hook has put another word there.
        if (next != slot) {
            atomic_compare_exchange_strong_explicit(&line->slots[i], &slot, next,
                                                    memory_order_relaxed, memory_order_relaxed);
        }
    }
}

/// Lets more words be asked about, each second.
static void renew_allowances(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec == writer.allowance_second) {
        return;
    }
    writer.allowance_second = now.tv_sec;
    uint32_t used = atomic_load_explicit(&last_id, memory_order_relaxed);
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        uint32_t kept = i == ON_HEAP ? MODULE_ID_RESERVE : 0;
        uint32_t left = used + kept < ID_LIMIT ? ID_LIMIT - used - kept : 0;
        int32_t allowance = atomic_load_explicit(&allowances[i], memory_order_relaxed);
        int32_t more = left == 0 ? -allowance
                       : allowance < ALLOWANCE ? 1 + (int32_t)(left / ALLOWANCE_ID_SHARE) : 0;
        atomic_fetch_add_explicit(&allowances[i], more, memory_order_relaxed);
    }
}

void wick_types_resolve(wick_type_visitor *named) {
    line *lines = atomic_load_explicit(&table, memory_order_relaxed);
    if (!lines) {
        return;
    }
    const wick_unwind_list *modules = wick_unwind_published();
    writer.has_other_modules = modules != writer.modules;
    writer.modules = modules;
    bool looks_at_all = writer.has_other_modules || writer.is_forgetful;
    bool is_open = false;
    wick_type_memory memory;
    for (size_t page = 0; page < PAGE_COUNT; page++) {
        if (!atomic_load_explicit(&dirty[page], memory_order_relaxed) && !looks_at_all) {
            continue;
        }
        // Acquire: partner of the release in `add`. A word that comes after this makes the page
        // dirty again.
        atomic_exchange_explicit(&dirty[page], 0, memory_order_acquire);
        if (!is_open) {
            wick_type_memory_open(&memory);
            is_open = true;
        }
        for (size_t i = 0; i < PAGE_LINE_COUNT; i++) {
            resolve_line(&memory, &lines[page * PAGE_LINE_COUNT + i], named);
        }
    }
    if (is_open) {
        wick_type_memory_close(&memory);
    }
    writer.is_forgetful = writer.is_new = false;
    renew_allowances();
}

uint64_t wick_types_byte_count(void) {
    if (!atomic_load_explicit(&table, memory_order_relaxed)) {
        return 0;
    }
    uint64_t ids = atomic_load_explicit(&last_id, memory_order_relaxed);
    return LINE_COUNT * sizeof(line) + ids * sizeof *writer.name_hashes;
}
