#include "unwind_modules.h"

#include <stdatomic.h>
#include <string.h>

#include "pages.h"

enum : size_t { ARENA_BYTE_COUNT = 64u << 10 };

_Atomic(const wick_unwind_list *) wick_unwind_newest;

/// What only the one normal thread that adds and removes may touch.
static struct {
    uint8_t *arena;
    size_t arena_left, taken_byte_count, list_byte_count;
    /// All lists that were ever published, latest first.
    wick_unwind_list *lists;
    /// All tables that were ever published, for modules that come back.
    wick_cfi_table *tables;
} builder;

static void publish(const wick_unwind_list *list) {
    // Release: partner of `wick_unwind_published`.
    atomic_store_explicit(&wick_unwind_newest, list, memory_order_release);
}

/// Zeroed memory that is kept for ever, unless it is given back before the next is taken; NULL if
/// refused.
static void *take(size_t byte_count) {
    byte_count = (byte_count + 15) & ~(size_t)15;
    if (byte_count > builder.arena_left) {
        size_t mapped = byte_count > ARENA_BYTE_COUNT ? byte_count : ARENA_BYTE_COUNT;
        uint8_t *arena = wick_pages_map(mapped);
        if (!arena) {
            return NULL;
        }
        builder.arena = arena;
        builder.arena_left = mapped;
    }
    void *taken = builder.arena;
    builder.arena += byte_count;
    builder.arena_left -= byte_count;
    builder.taken_byte_count = byte_count;
    return taken;
}

static void give_back(void *taken) {
    memset(taken, 0, builder.taken_byte_count);
    builder.arena = taken;
    builder.arena_left += builder.taken_byte_count;
}

/// Publishes `list`, or the equal list that was published before. Its generation may come back
/// too: what a cache learned from it is true again.
static void publish_unique(wick_unwind_list *list) {
    for (const wick_unwind_list *known = builder.lists; known; known = known->next) {
        if (known->count == list->count &&
            memcmp(known->entries, list->entries, list->count * sizeof *list->entries) == 0) {
            give_back(list);
            publish(known);
            return;
        }
    }
    builder.list_byte_count += builder.taken_byte_count;
    list->generation = builder.lists ? builder.lists->generation + 1 : 1;
    list->next = builder.lists;
    builder.lists = list;
    publish(list);
}

/// Publishes the modules in force without those that overlap `start`..<`end`, and with `added`
/// unless that is NULL.
static bool replace(uintptr_t start, uintptr_t end, const wick_unwind_entry *added) {
    const wick_unwind_list *old = wick_unwind_published();
    size_t old_count = old ? old->count : 0;
    size_t byte_count = sizeof(wick_unwind_list) + (old_count + 1) * sizeof(wick_unwind_entry);
    // Removing is always possible: a stale module is worse than memory for as many lists again.
    if (added && builder.list_byte_count + byte_count > WICK_UNWIND_LIST_BYTE_LIMIT) {
        return false;
    }
    wick_unwind_list *list = take(byte_count);
    if (!list) {
        return false;
    }
    for (size_t i = 0; i < old_count; i++) {
        const wick_unwind_entry *entry = &old->entries[i];
        if (entry->start < end && entry->end > start) {
            continue;
        }
        if (added && entry->start >= end) {
            list->entries[list->count++] = *added;
            added = NULL;
        }
        list->entries[list->count++] = *entry;
    }
    if (added) {
        list->entries[list->count++] = *added;
    }
    publish_unique(list);
    return true;
}

static bool are_equal(const wick_cfi_table *a, const wick_cfi_table *b) {
    return a->text_byte_count == b->text_byte_count && a->row_count == b->row_count &&
           a->rule_count == b->rule_count &&
           memcmp(a->pcs, b->pcs, a->row_count * sizeof *a->pcs) == 0 &&
           memcmp(a->row_rules, b->row_rules, a->row_count * sizeof *a->row_rules) == 0 &&
           memcmp(a->rules, b->rules, a->rule_count * sizeof *a->rules) == 0;
}

/// The equal table that was published before, instead of `table`; else `table`.
static const wick_cfi_table *unique(wick_cfi_table *table) {
    if (!table) {
        return NULL;
    }
    for (const wick_cfi_table *known = builder.tables; known; known = known->next) {
        if (are_equal(known, table)) {
            wick_cfi_table_destroy(table);
            return known;
        }
    }
    table->next = builder.tables;
    builder.tables = table;
    return table;
}

bool wick_unwind_add_module(const wick_unwind_module *module) {
    bool refused = false;
    wick_unwind_entry entry = {
        .load_bias = module->load_bias,
        .start = module->start,
        .end = module->end,
        .text_start = module->text_start,
        .text_end = module->text_end,
        .table = unique(wick_cfi_table_build(module, &refused)),
    };
    return replace(module->start, module->end, &entry) && !refused;
}

void wick_unwind_remove_module(uintptr_t load_bias, uintptr_t start) {
    const wick_unwind_list *list = wick_unwind_published();
    for (size_t i = 0; list && i < list->count; i++) {
        const wick_unwind_entry *entry = &list->entries[i];
        if (entry->load_bias == load_bias && entry->start == start) {
            replace(entry->start, entry->end, NULL);
            return;
        }
    }
}
