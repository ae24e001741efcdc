// SIGNAL-SAFE: calls nothing; two raw system calls, which leave errno alone.
//
// Reads a stack whose registers may be lies. What is known to be mapped is read directly; the rest
// is copied from this process by the kernel, a window at a time, which fails instead of faulting:
//
//          sp              high
//   ───────┤ direct reads  ├──────── everywhere else: window in scratch
#pragma once

#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "raw_syscall.h"
#include "unwind.h"

enum : uintptr_t {
    /// Below sp: what a function has just popped, and leaf functions' locals (AMD64 ABI §3.2.2).
    WICK_RED_ZONE_BYTE_COUNT = 128,
    WICK_PAGE_BYTE_COUNT = 4096,
};

typedef struct {
    /// Words that begin at direct_start ≤ address < direct_end are read directly.
    uintptr_t direct_start, direct_end;
    uint8_t *scratch;
    size_t scratch_byte_count;
    uintptr_t window_start;
    size_t window_byte_count;
} wick_stack_reader;

static inline wick_stack_reader wick_stack_reader_make(const wick_stack_memory *memory,
                                                       uintptr_t sp) {
    wick_stack_reader reader = {
        .scratch = memory->scratch, .scratch_byte_count = memory->scratch_byte_count};
    if (memory->high >= sizeof(uintptr_t) && sp < memory->high) {
        // The page of sp is mapped, the one below it may be the guard.
        uintptr_t page = sp & ~(WICK_PAGE_BYTE_COUNT - 1);
        uintptr_t red_zone = sp - WICK_RED_ZONE_BYTE_COUNT;
        reader.direct_start = sp - page < WICK_RED_ZONE_BYTE_COUNT ? page : red_zone;
        reader.direct_end = memory->high - (sizeof(uintptr_t) - 1);
    }
    return reader;
}

/// Copies memory that may not be there; returns how many bytes from `address` on were.
static inline size_t wick_copy_memory(uint8_t *copy, uintptr_t address, size_t byte_count) {
#ifdef WICK_TEST_WITHOUT_READV
    // In tests under an emulator that does not know the call; nothing is unmapped there.
    memcpy(copy, (const void *)address, byte_count);
    return byte_count;
#endif
    struct iovec local = {copy, byte_count};
    struct iovec remote = {(void *)address, byte_count};
    // Not cached: after a fork it is another.
    long pid = wick_raw_syscall0(SYS_gettid);
    long copied = wick_raw_syscall6(SYS_process_vm_readv, pid, (long)&local, 1, (long)&remote, 1, 0);
    return copied > 0 ? (size_t)copied : 0;
}

/// Copies a new window that has the word at `address`, from `sp` on if that is near, since a frame's
/// words are read from the top down.
__attribute__((noinline)) static bool wick_stack_move_window(wick_stack_reader *reader,
                                                             uintptr_t address, uintptr_t sp) {
    if (!reader->scratch) {
        return false;
    }
    bool near = address >= sp && address - sp <= reader->scratch_byte_count / 2;
    reader->window_start = near ? sp : address;
    reader->window_byte_count =
        wick_copy_memory(reader->scratch, reader->window_start, reader->scratch_byte_count);
    return address - reader->window_start + sizeof(uintptr_t) <= reader->window_byte_count;
}

/// Reads the word at `address`, of the frame that begins at `sp`. False if it is not readable.
static inline bool wick_stack_read(wick_stack_reader *reader, uintptr_t address, uintptr_t sp,
                                   uintptr_t *word) {
    if (address >= reader->direct_start && address < reader->direct_end) {
        memcpy(word, (const void *)address, sizeof *word);
        return true;
    }
    uintptr_t offset = address - reader->window_start;
    if (offset >= reader->window_byte_count ||
        reader->window_byte_count - offset < sizeof *word) {
        if (!wick_stack_move_window(reader, address, sp)) {
            return false;
        }
        offset = address - reader->window_start;
    }
    memcpy(word, reader->scratch + offset, sizeof *word);
    return true;
}
