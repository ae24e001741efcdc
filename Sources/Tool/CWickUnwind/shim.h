// libunwind for another process, whose functions have other names than its header says, and the
// registers that ptrace(2) gives.
//
// Only libunwind-x86_64 is linked: libunwind-ptrace reads memory word by word from a thread that
// stands still meanwhile, and libunwind itself is for this process.
#pragma once

#include <libunwind.h>
#include <sys/user.h>

/// See `wick_unwind_find`; exported, but in no header.
int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t space, unw_word_t pc,
                                       unw_dyn_info_t *table, unw_proc_info_t *info,
                                       int needs_unwind_info, void *argument);

static inline unw_addr_space_t wick_unwind_create_space(unw_accessors_t *accessors) {
    return unw_create_addr_space(accessors, 0);
}

static inline void wick_unwind_destroy_space(unw_addr_space_t space) {
    unw_destroy_addr_space(space);
}

/// Keeps what was found for an address for as long as the space is there.
static inline void wick_unwind_cache(unw_addr_space_t space) {
    unw_set_caching_policy(space, UNW_CACHE_GLOBAL);
}

/// Puts a cursor onto the innermost frame; 0 or a negative `unw_error_t`, as all that follow.
static inline int wick_unwind_begin(unw_cursor_t *cursor, unw_addr_space_t space, void *argument) {
    return unw_init_remote(cursor, space, argument);
}

/// Goes to the caller; 0 where there is none.
static inline int wick_unwind_step(unw_cursor_t *cursor) {
    return unw_step(cursor);
}

static inline int wick_unwind_register(unw_cursor_t *cursor, int number, unw_word_t *value) {
    return unw_get_reg(cursor, number, value);
}

/// Finds the unwind information of `pc` by a binary search table in the process's memory: pairs of
/// the start of a function and of its record, both 32 bits and relative to `base`, in order.
static inline int wick_unwind_find(unw_addr_space_t space, unw_word_t pc, unw_word_t base,
                                   unw_word_t table, unw_word_t entry_count,
                                   unw_proc_info_t *info, int needs_unwind_info, void *argument) {
    unw_dyn_info_t description = {.start_ip = 0,
                                  .end_ip = ~(unw_word_t)0,
                                  .format = UNW_INFO_FORMAT_REMOTE_TABLE,
                                  .u.rti = {.segbase = base,
                                            .table_data = table,
                                            // In words, of which an entry takes one.
                                            .table_len = entry_count}};
    return _Ux86_64_dwarf_search_unwind_table(space, pc, &description, info, needs_unwind_info,
                                              argument);
}
