// SIGNAL-SAFE: calls nothing. The walk by frame pointer, within known bounds.
#include "unwind.h"

bool wick_unwind_add_module(const wick_unwind_module *module) {
    (void)module;
    return true;
}

void wick_unwind_remove_module(uintptr_t load_bias, uintptr_t start) {
    (void)load_bias;
    (void)start;
}

wick_walk wick_unwind(const wick_registers *registers, const wick_stack_memory *memory,
                      uintptr_t *frames, size_t limit) {
    uintptr_t low = registers->sp;
    uintptr_t fp = registers->fp;
    size_t count = 0;
    frames[count++] = registers->pc;
    while (count < limit) {
        if (memory->high < 16 || fp < low || fp > memory->high - 16 || fp % 8 != 0) {
            break;
        }
        const uintptr_t *record = (const uintptr_t *)fp;
        if (record[1] == 0) {
            break;
        }
        frames[count++] = record[1];
        low = fp + 16;
        fp = record[0];
    }
    return (wick_walk){.frame_count = count};
}
