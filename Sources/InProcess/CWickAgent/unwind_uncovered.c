// SIGNAL-SAFE: calls only the functions of unwind_memory.h and of the architecture's unwind_code file.
#include "unwind_uncovered.h"

enum : uintptr_t {
    /// Swift on some platforms marks the frames of async functions by this bit of a saved fp.
    ASYNC_FRAME_BIT = UINT64_C(1) << 60,
    /// A larger frame is taken for a frame pointer that is none.
    FRAME_BYTE_LIMIT = 1u << 20,
};

wick_step wick_step_uncovered(const wick_unwind_list *list, wick_stack_reader *reader,
                              wick_frame *frame, uint32_t *frame_pointer_steps) {
    const wick_unwind_entry *module = wick_unwind_find(list, frame->pc - !frame->exact);
    wick_step step;
    if (wick_step_by_code(list, module, reader, frame, &step)) {
        return step;
    }
    uintptr_t fp = frame->fp;
    if (fp == 0 && module && !frame->exact) {
        // By the ABIs, the thread's entry has cleared it.
        return WICK_STEP_END;
    }
    // fp = sp is legal: nothing was pushed since the frame was made.
    if (fp % sizeof(uintptr_t) != 0 || fp < frame->sp || fp - frame->sp > FRAME_BYTE_LIMIT) {
        return WICK_STEP_IMPLAUSIBLE;
    }
    uintptr_t saved_fp, pc;
    if (!wick_stack_read(reader, fp, frame->sp, &saved_fp) ||
        !wick_stack_read(reader, fp + sizeof(uintptr_t), frame->sp, &pc)) {
        return WICK_STEP_UNREADABLE;
    }
    *frame_pointer_steps += 1;
    pc &= WICK_ADDRESS_MASK;
    if (pc == 0) {
        return WICK_STEP_END;
    }
    if (!wick_may_call(list, module, pc)) {
        return WICK_STEP_IMPLAUSIBLE;
    }
    wick_go_to_caller(frame, pc, fp + 2 * sizeof(uintptr_t));
    frame->fp = saved_fp & ~ASYNC_FRAME_BIT;
    frame->base = frame->context = WICK_LOST;
    return WICK_STEP_DONE;
}
