// What a walk from a call takes over from the one before: SIGNAL-SAFE, calls nothing.
#pragma once

#include "unwind.h"
#include "unwind_modules.h"

/// The words of a caller's fp and pc, side by side.
typedef uint64_t wick_fp_and_pc __attribute__((vector_size(16), aligned(8), may_alias));

/// Adds to `difference` what the words that a step from `frame` to `caller` has read now differ in. False if
/// the step depends on more.
static inline __attribute__((always_inline)) bool wick_known_step_compare(
    const wick_known_frame *frame, const wick_known_frame *caller, wick_fp_and_pc *difference) {
    uintptr_t pc_place = caller->sp - sizeof(uintptr_t);
    if (__builtin_expect(frame->fp_place == WICK_FP_BESIDE_PC, 1)) {
        *difference |= *(const wick_fp_and_pc *)(pc_place - sizeof(uintptr_t)) ^
                       *(const wick_fp_and_pc *)&caller->fp;
        return true;
    }
    if (frame->fp_place == WICK_MUST_STEP) {
        return false;
    }
    const uintptr_t *fp_place =
        frame->fp_place == WICK_SAME_FP ? &caller->fp : (const uintptr_t *)frame->fp_place;
    *difference |= (wick_fp_and_pc){*fp_place ^ caller->fp, *(const uintptr_t *)pc_place ^ caller->pc};
    return true;
}

/// The place of the first frame, from the innermost outward, whose step must be taken anew; 0 if each of
/// them still leads to the next. There are frames, and all that they refer to is readable.
static inline uint32_t wick_known_walk_verify(const wick_known_walk *known) {
    const wick_known_frame *frame = &known->frames[known->count - 1];
    for (; frame > known->frames; frame--) {
        wick_fp_and_pc difference = {0, 0};
        if (!wick_known_step_compare(frame, frame - 1, &difference) ||
            (difference[0] | difference[1])) {
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
    const wick_known_frame *frame = &known->frames[known->count - 1];
    if (frame->sp != registers->sp || frame->pc != registers->pc || frame->fp != registers->fp) {
        return false;
    }
    wick_fp_and_pc difference = {0, 0};
    for (;;) {
        // Mostly all frames but the outermost.
        const wick_known_frame *end = frame - frame->run;
        for (; frame > end; frame--) {
            difference |= *(const wick_fp_and_pc *)(frame[-1].sp - 2 * sizeof(uintptr_t)) ^
                          *(const wick_fp_and_pc *)&frame[-1].fp;
        }
        if (frame == known->frames) {
            return (difference[0] | difference[1]) == 0;
        }
        if (!wick_known_step_compare(frame, frame - 1, &difference)) {
            return false;
        }
        frame--;
    }
}
