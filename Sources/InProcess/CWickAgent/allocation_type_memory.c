#include "allocation_type_memory.h"

#include <fcntl.h>
#include <string.h>

#include "images.h"
#include "proc.h"
#include "unwind_memory.h"

enum : uintptr_t { CACHE_LINE_BYTE_COUNT = 64 };

void wick_type_memory_open(wick_type_memory *memory) {
    memory->file = wick_no_descriptor();
    if (wick_proc_is_filtered()) {
        memory->file = wick_own(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
    }
    wick_type_memory_renew(memory);
}

void wick_type_memory_close(wick_type_memory *memory) {
    wick_disown(&memory->file);
}

void wick_type_memory_renew(wick_type_memory *memory) {
    memory->window_start = 0;
    memory->window_byte_count = 0;
    memory->windows_left = WICK_TYPE_WINDOW_LIMIT;
}

static void move_window(wick_type_memory *memory, uintptr_t address) {
    // Within the page, so that an unmapped one before it does no harm; what is asked for first is
    // often in the middle of a record.
    memory->window_start = address & ~(CACHE_LINE_BYTE_COUNT - 1);
    memory->window_byte_count = 0;
    if (memory->windows_left == 0) {
        return;
    }
    memory->windows_left--;
    if (memory->file.number >= 0) {
        ssize_t got = pread(memory->file.number, memory->window, sizeof memory->window,
                            (off_t)memory->window_start);
        memory->window_byte_count = got > 0 ? (size_t)got : 0;
    } else {
        memory->window_byte_count =
            wick_copy_memory(memory->window, memory->window_start, sizeof memory->window);
    }
}

bool wick_type_read(wick_type_memory *memory, uintptr_t address, void *copy, size_t byte_count) {
    uintptr_t offset = address - memory->window_start;
    if (offset >= memory->window_byte_count || memory->window_byte_count - offset < byte_count) {
        move_window(memory, address);
        offset = address - memory->window_start;
        if (offset >= memory->window_byte_count ||
            memory->window_byte_count - offset < byte_count) {
            return false;
        }
    }
    memcpy(copy, memory->window + offset, byte_count);
    return true;
}

size_t wick_type_read_string(wick_type_memory *memory, uintptr_t address, char *string,
                             size_t limit) {
    size_t length = 0;
    for (; length < limit - 1; length++) {
        uint8_t byte;
        if (!wick_type_read(memory, address + length, &byte, sizeof byte)) {
            return 0;
        }
        if (byte == 0) {
            break;
        }
        if (byte < ' ' || byte == 0x7f) {
            return 0;
        }
        string[length] = (char)byte;
    }
    string[length] = 0;
    return length;
}

bool wick_type_is_in_module(uintptr_t address) {
    const wick_image *image = wick_images_find(address);
    return image && image->mapped;
}
