// HOOK-SAFE. Allocators map too: what they do within a call that is followed is not counted again.
#include "mapping_hooks.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "allocation.h"
#include "defining_symbol.h"
#include "got_hooks.h"
#include "unwind_uncovered.h"

static __typeof__(mmap) hook_mmap;
static __typeof__(munmap) hook_munmap;
static __typeof__(mremap) hook_mremap;

enum { MMAP, MMAP64, MUNMAP, MREMAP, HOOKS };
static wick_got_hook hooks[HOOKS] = {
    [MMAP] = {"mmap", (uintptr_t)hook_mmap, 0},
    [MMAP64] = {"mmap64", (uintptr_t)hook_mmap, 0},
    [MUNMAP] = {"munmap", (uintptr_t)hook_munmap, 0},
    [MREMAP] = {"mremap", (uintptr_t)hook_mremap, 0},
};
static wick_got_set all = {.hooks = hooks, .count = HOOKS};
static bool is_hooked;

/// The caller's registers, as far as a function with a frame of its own knows them.
#define CALLER()                                                                                   \
    (wick_registers) {                                                                             \
        .pc = (uintptr_t)__builtin_return_address(0),                                              \
        .sp = (uintptr_t)__builtin_frame_address(0) + 2 * sizeof(uintptr_t),                       \
        .fp = *(const uintptr_t *)__builtin_frame_address(0), .base = WICK_LOST,                   \
        .context = WICK_LOST                                                                       \
    }

static bool chooses(size_t byte_count) {
    return wick_allocation_mine.depth == 0 && !wick_allocation_passes(byte_count) &&
           wick_allocation_chooses(byte_count);
}

static void *hook_mmap(void *start, size_t byte_count, int protection, int flags, int file,
                       off_t offset) {
    __typeof__(mmap) *real = (__typeof__(mmap) *)hooks[MMAP].theirs;
    bool is_chosen = flags & MAP_ANONYMOUS && chooses(byte_count);
    void *pages = real(start, byte_count, protection, flags, file, offset);
    if (is_chosen && pages != MAP_FAILED) {
        wick_allocation_note((uintptr_t)pages, byte_count, &CALLER());
    }
    return pages;
}

/// What is followed of a mapping that ends or moves. Without its words: it may be memory that nobody may read.
static bool take(void *start, wick_live_block *block) {
    uint32_t no_type;
    return wick_allocation_mine.depth == 0 &&
           wick_allocation_take((uintptr_t)start, false, block, &no_type);
}

static int hook_munmap(void *start, size_t byte_count) {
    __typeof__(munmap) *real = (__typeof__(munmap) *)hooks[MUNMAP].theirs;
    wick_live_block block;
    bool was_followed = take(start, &block);
    int result = real(start, byte_count);
    if (was_followed && result == 0) {
        wick_allocation_moved(block, 0);
    } else if (was_followed) {
        wick_allocation_stayed((uintptr_t)start, block);
    }
    return result;
}

static void *hook_mremap(void *start, size_t byte_count, size_t new_byte_count, int flags, ...) {
    __typeof__(mremap) *real = (__typeof__(mremap) *)hooks[MREMAP].theirs;
    va_list list;
    va_start(list, flags);
    void *place = flags & MREMAP_FIXED ? va_arg(list, void *) : NULL;
    va_end(list);
    bool is_chosen = chooses(new_byte_count);
    wick_live_block block;
    bool was_followed = take(start, &block);
    void *pages = real(start, byte_count, new_byte_count, flags, place);
    if (was_followed && pages != MAP_FAILED) {
        wick_allocation_moved(block, 0);
    } else if (was_followed) {
        wick_allocation_stayed((uintptr_t)start, block);
    }
    if (is_chosen && pages != MAP_FAILED) {
        wick_allocation_note((uintptr_t)pages, new_byte_count, &CALLER());
    }
    return pages;
}

void wick_mapping_hook(void) {
    if (is_hooked) {
        return;
    }
    for (size_t i = 0; i < HOOKS; i++) {
        hooks[i].theirs = wick_find_definition(hooks[i].name).address;
    }
    wick_got_take(&all);
    is_hooked = true;
}

void wick_mapping_hook_again(void) {
    if (is_hooked) {
        wick_got_take(&all);
    }
}

void wick_mapping_unhook(void) {
    if (is_hooked) {
        wick_got_give_back(&all);
        is_hooked = false;
    }
}
