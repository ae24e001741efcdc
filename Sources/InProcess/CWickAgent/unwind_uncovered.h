// The step from code that no unwind rule covers: hand-written functions, modules without
// .eh_frame, code made at run time.
#pragma once

#include "unwind_memory.h"
#include "unwind_modules.h"

typedef struct {
    uintptr_t pc, sp, fp, base;
    /// `pc` was interrupted; else it is a return address.
    bool exact;
    /// `pc` was interrupted just now: the page there is mapped. What the stack says of earlier
    /// interruptions may be false.
    bool running;
} wick_frame;

enum : uintptr_t {
    /// The value of a register that was lost: below any stack, so it fails wherever it is used.
    WICK_LOST = 1,
    /// Pages at 0 are never mapped; user addresses have 47 bits (Linux, Documentation/arch/x86/
    /// x86_64/mm.rst).
    WICK_CODE_LOWEST = 4096,
    WICK_CODE_LIMIT = UINT64_C(1) << 47,
};

static inline bool wick_may_be_code(uintptr_t pc) {
    return pc >= WICK_CODE_LOWEST && pc < WICK_CODE_LIMIT;
}

/// How a step ended.
typedef enum : uint8_t {
    WICK_STEP_DONE,
    /// The frame was the outermost.
    WICK_STEP_END,
    WICK_STEP_UNREADABLE,
    WICK_STEP_IMPLAUSIBLE,
    WICK_STEP_NO_RULE,
} wick_step;

/// Whether a call instruction ends at `pc`, which may be any address. A system call. SIGNAL-SAFE.
bool wick_follows_call(uintptr_t pc);

/// Goes to the caller. An interrupted pc that stands where the frame pointer is not yet or no
/// longer the function's (at its first instructions, at its return) is known by the bytes of its
/// code; everything else by frame pointer, counted in `frame_pointer_steps`. SIGNAL-SAFE.
wick_step wick_step_uncovered(const wick_unwind_list *list, wick_stack_reader *reader,
                              wick_frame *frame, uint32_t *frame_pointer_steps);
