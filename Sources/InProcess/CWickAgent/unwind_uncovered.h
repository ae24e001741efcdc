// The step from code that no unwind rule covers: hand-written functions, modules without
// .eh_frame, code made at run time.
#pragma once

#include "unwind_arch.h"
#include "unwind_memory.h"
#include "unwind_modules.h"

typedef struct {
    uintptr_t pc, sp, fp, base, context;
    /// `pc` was interrupted; else it is a return address.
    bool exact;
    /// `pc` was interrupted just now: the page there is mapped. What the stack says of earlier
    /// interruptions may be false.
    bool running;
} wick_frame;

enum : uintptr_t {
    /// The value of a register that was lost: below any stack, so it fails wherever it is used.
    WICK_LOST = 1,
    /// Pages at 0 are never mapped.
    WICK_CODE_LOWEST = 4096,
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

/// Goes on where a signal came, by the ucontext that the kernel left at the trampoline's sp.
/// SIGNAL-SAFE.
wick_step wick_step_signal(wick_stack_reader *reader, wick_frame *frame);

/// Goes to the caller of code that no rule covers where the code's bytes tell how: in the first and
/// last instructions of functions, and in a signal's trampoline. False if they do not. SIGNAL-SAFE.
bool wick_step_by_code(const wick_unwind_list *list, const wick_unwind_entry *module,
                       wick_stack_reader *reader, wick_frame *frame, wick_step *step);

/// Whether an address in code of `module` (NULL: of none) may have been called from `pc`. Code in a
/// module is called from modules; of code made at run time nothing is known.
static inline bool wick_may_call(const wick_unwind_list *list, const wick_unwind_entry *module,
                                 uintptr_t pc) {
    return wick_may_be_code(pc) && (!module || wick_unwind_find(list, pc - 1));
}

static inline void wick_go_to_caller(wick_frame *frame, uintptr_t pc, uintptr_t sp) {
    frame->pc = pc;
    frame->sp = sp;
    frame->exact = frame->running = false;
}

/// Whether the code at `pc`, which may be any address, is a trampoline by which handlers return and
/// that is in no module. A system call. SIGNAL-SAFE.
bool wick_is_signal_return(uintptr_t pc);

/// Whether a call instruction ends at `pc`, which may be any address. A system call. SIGNAL-SAFE.
bool wick_follows_call(uintptr_t pc);

/// Goes to the caller. An interrupted pc that stands where the frame pointer is not yet or no
/// longer the function's (at its first instructions, at its return) is known by the bytes of its
/// code; everything else by frame pointer, counted in `frame_pointer_steps`. SIGNAL-SAFE.
wick_step wick_step_uncovered(const wick_unwind_list *list, wick_stack_reader *reader,
                              wick_frame *frame, uint32_t *frame_pointer_steps);
