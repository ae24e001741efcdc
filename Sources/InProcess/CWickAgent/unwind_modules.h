// The list of modules that handlers search. A change is a new list, swapped in by one pointer:
//
//   published ─► list 3: [start₀ end₀ table₀ │ start₁ … ]     sorted by start
//                list 2, list 1                               kept: a handler may be in them
//
// Lists and published tables are never given back, as a handler can be stopped inside them for any
// time. Equal ones are kept once, so reloading the same plugin for ever costs nothing; what differs
// costs its table, and a list of 48 bytes a module, until `WICK_UNWIND_LIST_BYTE_LIMIT`. Then no
// module is added any more, and new code is stepped by frame pointer.
#pragma once

#include <stdatomic.h>

#include "cfi_table.h"

enum : size_t {
    WICK_UNWIND_LIST_BYTE_LIMIT = 32u << 20,
};

/// One module, as handlers see it.
typedef struct {
    uintptr_t load_bias, start, end;
    uintptr_t text_start, text_end;
    /// NULL if the module has no usable .eh_frame.
    const wick_cfi_table *table;
} wick_unwind_entry;

typedef struct wick_unwind_list {
    /// Tells caches that they are out of date; never 0.
    uint64_t generation;
    /// For whoever makes lists; handlers do not look at it.
    const struct wick_unwind_list *next;
    size_t count;
    wick_unwind_entry entries[];
} wick_unwind_list;

/// See wick_unwind_published.
extern __attribute__((visibility("hidden"))) _Atomic(const wick_unwind_list *) wick_unwind_newest;

/// The list in force; NULL before the first module. SIGNAL-SAFE.
static inline const wick_unwind_list *wick_unwind_published(void) {
    // Acquire: who sees the list sees what is in it.
    return atomic_load_explicit(&wick_unwind_newest, memory_order_acquire);
}

/// The module whose text has `pc`, or NULL. SIGNAL-SAFE; `list` may be NULL.
static inline const wick_unwind_entry *wick_unwind_find(const wick_unwind_list *list,
                                                        uintptr_t pc) {
    if (!list || list->count == 0) {
        return NULL;
    }
    const wick_unwind_entry *entry = list->entries;
    size_t count = list->count;
    while (count > 1) {
        size_t half = count / 2;
        entry += entry[half].start <= pc ? half : 0;
        count -= half;
    }
    return pc >= entry->text_start && pc < entry->text_end ? entry : NULL;
}

/// `wick_unwind` over a list that need not be published. SIGNAL-SAFE.
wick_walk wick_unwind_over(const wick_unwind_list *list, const wick_registers *registers,
                           const wick_stack_memory *memory, uintptr_t *frames, size_t limit);
