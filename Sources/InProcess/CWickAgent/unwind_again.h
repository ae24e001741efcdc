// What a walk from a call takes over from the one before: SIGNAL-SAFE, calls nothing.
#pragma once

#include "unwind.h"
#include "unwind_modules.h"

/// The place of the first frame, from the innermost outward, whose step must be taken anew; 0 if each of
/// them still leads to the next. There are frames, and all that they refer to is readable.
static inline uint32_t wick_known_walk_verify(const wick_known_walk *known) {
    const wick_known_frame *frame = &known->frames[known->count - 1];
    for (; frame > known->frames; frame--) {
        const wick_known_frame *caller = frame - 1;
        uintptr_t place = frame->fp_place;
        if (place <= WICK_MUST_STEP) {
            if (place == WICK_MUST_STEP || frame->fp != caller->fp) {
                break;
            }
            place = (uintptr_t)&caller->fp;
        }
        if (*(const uintptr_t *)(caller->sp - sizeof(uintptr_t)) != caller->pc ||
            *(const uintptr_t *)place != caller->fp) {
            break;
        }
    }
    return (uint32_t)(frame - known->frames);
}

/// Whether a walk would find just what the one before has found: mostly it is the very same call site.
/// `high` as in wick_stack_memory.
static inline bool wick_unwind_is_same(const wick_registers *registers, uintptr_t high,
                                       const wick_known_walk *known) {
    const wick_unwind_list *list = wick_unwind_published();
    if (known->count == 0 || !known->is_anchored || known->truncation ||
        known->frames[0].sp > high || !list || known->generation != list->generation) {
        return false;
    }
    const wick_known_frame *top = &known->frames[known->count - 1];
    return top->sp == registers->sp && top->pc == registers->pc && top->fp == registers->fp &&
           wick_known_walk_verify(known) == 0;
}
