// Memory of this process that words found on the heap point to, and so may not be there: copied by
// the kernel, which fails instead of faulting. Writer thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "own_descriptor.h"

enum : size_t {
    /// A window is copied at a time: most of what a record has is near its address.
    WICK_TYPE_WINDOW_BYTE_COUNT = 256,
    /// Windows that one name may cost: records that point in a circle end here.
    WICK_TYPE_WINDOW_LIMIT = 512,
};

typedef struct {
    /// /proc/self/mem where a seccomp filter may kill for process_vm_readv; else none.
    wick_own_descriptor file;
    uintptr_t window_start;
    size_t window_byte_count;
    uint32_t windows_left;
    uint8_t window[WICK_TYPE_WINDOW_BYTE_COUNT];
} wick_type_memory;

/// Finds out how memory can be copied; `wick_type_memory_close` takes it back.
void wick_type_memory_open(wick_type_memory *memory);
void wick_type_memory_close(wick_type_memory *memory);

/// Forgets what was copied, and gives the next name its windows.
void wick_type_memory_renew(wick_type_memory *memory);

/// Copies `byte_count` (at most half a window) bytes at `address`; false if they are not there.
bool wick_type_read(wick_type_memory *memory, uintptr_t address, void *copy, size_t byte_count);

static inline bool wick_type_read_word(wick_type_memory *memory, uintptr_t address,
                                       uintptr_t *word) {
    return wick_type_read(memory, address, word, sizeof *word);
}

/// Reads a terminated string, or its first `limit` - 1 bytes, into `limit` bytes; returns its
/// length, 0 if it is not there or has control characters.
size_t wick_type_read_string(wick_type_memory *memory, uintptr_t address, char *string,
                             size_t limit);

/// Whether an address is in a module that is mapped: its code, its constants or its data.
bool wick_type_is_in_module(uintptr_t address);
