#include "stack_bounds.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "handler.h"
#include "own_descriptor.h"
#include "proc.h"
#include "unwind_memory.h"

enum : uintptr_t {
    /// What the kernel leaves free for the main thread's stack at least.
    MAIN_STACK_BYTES = 8 << 20,
    /// A larger answer is no size of a stack.
    STACK_BYTE_LIMIT = UINT64_C(1) << 40,
};

enum {
    /// How much of a control block is searched: all of glibc's, which is of 0x900 bytes.
    CONTROL_BLOCK_WORDS = 288,
    /// A look that takes longer than this is followed by a pause of so many times its length.
    SLOW_LOOK_NS = 200000,
    SLOW_LOOK_PAUSE = 40,
};

/// Where in a thread's control block, from the thread pointer on, the memory of its stack is noted:
/// two words, its beginning and its size; 0 while unknown. What the memory is, only glibc knows: the
/// kernel shows mappings that touch as one, so another stack may seem a part of this one.
static intptr_t note_offset;

/// No look before this.
static uint64_t next_look_ns;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// Copies a note that may not be there, as the thread may be gone.
static bool read_note(uintptr_t address, uintptr_t note[2]) {
    const size_t byte_count = 2 * sizeof(uintptr_t);
    if (wick_handler_windows_allowed()) {
        return wick_copy_memory((uint8_t *)note, address, byte_count) == byte_count;
    }
    // Not /proc/self: of a first thread that has left, nothing is shown.
    wick_own_descriptor file = wick_own(open("/proc/thread-self/mem", O_RDONLY | O_CLOEXEC));
    bool is_read = file.number >= 0 && pread(file.number, note, byte_count, (off_t)address) ==
                                           (ssize_t)byte_count;
    wick_disown(&file);
    return is_read;
}

/// Whether a note can be of the stack that holds `sp` and, above it, the thread pointer.
static bool is_plausible(const uintptr_t note[2], uintptr_t sp, uintptr_t thread_pointer) {
    return note[0] <= sp && sp < thread_pointer && note[1] < STACK_BYTE_LIMIT &&
           thread_pointer - note[0] < note[1];
}

void wick_stack_bounds_prepare(void) {
    uintptr_t thread_pointer = (uintptr_t)__builtin_thread_pointer();
    uintptr_t block = (uintptr_t)pthread_self();
    uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
    // At the upper end of the stack that we run on: there, at least to the end of the thread pointer's page,
    // which on x86_64 is the block's address and on aarch64 its end.
    uintptr_t end = (thread_pointer | (WICK_PAGE_BYTE_COUNT - 1)) + 1;
    const uintptr_t *words = (const uintptr_t *)block;
    size_t count = (end - block) / sizeof(uintptr_t);
    count = count < CONTROL_BLOCK_WORDS ? count : CONTROL_BLOCK_WORDS;
    note_offset = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        bool is_of_pages = (words[i] | words[i + 1]) % WICK_PAGE_BYTE_COUNT == 0;
        if (is_of_pages && is_plausible(&words[i], sp, thread_pointer)) {
            note_offset = (intptr_t)(block + i * sizeof(uintptr_t) - thread_pointer);
            return;
        }
    }
}

/// The main thread's: the mapping that holds its stack pointer and the program's arguments.
static bool find_main(uintptr_t sp, uintptr_t *low, uintptr_t *high) {
    uintptr_t arguments = getauxval(AT_EXECFN);
    if (!wick_proc_mapping(sp, low, high) || arguments < *low || arguments >= *high) {
        return false;
    }
    // It grows; nothing else is ever mapped in the space that its limit keeps free.
    struct rlimit limit;
    uintptr_t size = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < MAIN_STACK_BYTES
                         ? limit.rlim_cur
                         : MAIN_STACK_BYTES;
    *low = *high - size < *low ? *high - size : *low;
    return true;
}

/// Another thread's: the mapping that holds its stack pointer and, above it, its control block, as
/// far as it is the thread's.
static bool find(const wick_slot *slot, uintptr_t sp, uintptr_t *low, uintptr_t *high) {
    uintptr_t note[2];
    if (note_offset == 0 || !read_note(slot->thread_pointer + (uintptr_t)note_offset, note) ||
        !is_plausible(note, sp, slot->thread_pointer) || !wick_proc_mapping(sp, low, high) ||
        slot->thread_pointer >= *high) {
        return false;
    }
    *low = *low > note[0] ? *low : note[0];
    *high = slot->thread_pointer;
    return true;
}

void wick_stack_bounds_look(wick_slot *slot) {
    uintptr_t sp = atomic_load_explicit(&slot->seen_sp, memory_order_relaxed);
    if (atomic_load_explicit(&slot->stack_high, memory_order_relaxed) != 0 || sp == 0) {
        return;
    }
    if (slot->bounds_wait > 0) {
        slot->bounds_wait--;
        return;
    }
    uint64_t begin_ns = now_ns();
    if (begin_ns < next_look_ns) {
        return;
    }
    slot->bounds_wait = slot->bounds_tries < 10 ? 1u << slot->bounds_tries++ : 1u << 10;
    uintptr_t low, high;
    bool found =
        slot->tid == getpid() ? find_main(sp, &low, &high) : find(slot, sp, &low, &high);
    uint64_t length_ns = now_ns() - begin_ns;
    if (length_ns > SLOW_LOOK_NS) {
        next_look_ns = begin_ns + length_ns * SLOW_LOOK_PAUSE;
    }
    if (!found) {
        return;
    }
    atomic_store_explicit(&slot->stack_low, low, memory_order_relaxed);
    // Release: pairs with the handler's acquire; low comes first.
    atomic_store_explicit(&slot->stack_high, high, memory_order_release);
}
