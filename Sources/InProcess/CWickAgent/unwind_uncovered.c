// SIGNAL-SAFE: calls only the functions of unwind_memory.h.
#include "unwind_uncovered.h"

enum : uintptr_t {
    /// Swift on some platforms marks the frames of async functions by this bit of a saved fp.
    ASYNC_FRAME_BIT = UINT64_C(1) << 60,
    /// A larger frame is taken for a frame pointer that is none.
    FRAME_BYTE_LIMIT = 1u << 20,
    /// The longest call instruction that ends in its target: an indirect one with SIB and disp32.
    CALL_BYTE_LIMIT = 7,
};

/// What surrounds an interrupted instruction in code that keeps frame pointers. Bytes before and
/// from `pc` on; then where the return address is, in words from sp.
typedef struct {
    uint8_t before_count, after_count, words;
    uint8_t before[3], after[5];
} code_pattern;

static const code_pattern PATTERNS[] = {
    // ret; rep ret; ret imm16
    {0, 1, 0, {0}, {0xc3}},
    {0, 2, 0, {0}, {0xf3, 0xc3}},
    {0, 1, 0, {0}, {0xc2}},
    // endbr64; push %rbp
    {0, 4, 0, {0}, {0xf3, 0x0f, 0x1e, 0xfa}},
    {0, 1, 0, {0}, {0x55}},
    // push %rbp │ mov %rsp,%rbp, in both encodings
    {1, 3, 1, {0x55}, {0x48, 0x89, 0xe5}},
    {1, 3, 1, {0x55}, {0x48, 0x8b, 0xec}},
    // A Swift async function's: push %rbp │ push %r14 │ lea 8(%rsp),%rbp
    {1, 2, 1, {0x55}, {0x41, 0x56}},
    {3, 5, 2, {0x55, 0x41, 0x56}, {0x48, 0x8d, 0x6c, 0x24, 0x08}},
};

/// Whether the code around `pc` is as given. Only bytes of its page are looked at, as that one is
/// mapped: it is being run.
static bool matches(uintptr_t pc, const uint8_t *before, size_t before_count, const uint8_t *after,
                    size_t after_count) {
    uintptr_t offset = pc & (WICK_PAGE_BYTE_COUNT - 1);
    if (offset < before_count || WICK_PAGE_BYTE_COUNT - offset < after_count) {
        return false;
    }
    const uint8_t *code = (const uint8_t *)pc;
    for (size_t i = 0; i < before_count; i++) {
        if (code[i - before_count] != before[i]) {
            return false;
        }
    }
    for (size_t i = 0; i < after_count; i++) {
        if (code[i] != after[i]) {
            return false;
        }
    }
    return true;
}

/// Whether a call instruction ends at `pc`: e8 rel32, or ff /2 in one of its lengths.
static bool follows_call(uintptr_t pc) {
    uint8_t code[CALL_BYTE_LIMIT];
    if (wick_copy_memory(code, pc - CALL_BYTE_LIMIT, CALL_BYTE_LIMIT) != CALL_BYTE_LIMIT) {
        return false;
    }
    if (code[CALL_BYTE_LIMIT - 5] == 0xe8) {
        return true;
    }
    for (size_t length = 2; length <= CALL_BYTE_LIMIT; length++) {
        const uint8_t *call = code + CALL_BYTE_LIMIT - length;
        if (call[0] == 0xff && (call[1] & 0x38) == 0x10) {
            return true;
        }
    }
    return false;
}

/// Whether an address in code of `module` (NULL: of none) may have been called from `pc`. Code in a
/// module is called from modules; of code made at run time nothing is known.
static bool may_call(const wick_unwind_list *list, const wick_unwind_entry *module, uintptr_t pc) {
    return wick_may_be_code(pc) && (!module || wick_unwind_find(list, pc - 1));
}

/// The step from an interrupted pc at which code bytes tell where the return address is.
static bool step_by_code(const wick_unwind_list *list, const wick_unwind_entry *module,
                         wick_stack_reader *reader, wick_frame *frame) {
    static const uint8_t syscall[] = {0x0f, 0x05};
    uintptr_t pc;
    for (size_t i = 0; i < sizeof PATTERNS / sizeof PATTERNS[0]; i++) {
        const code_pattern *pattern = &PATTERNS[i];
        if (matches(frame->pc, pattern->before, pattern->before_count, pattern->after,
                    pattern->after_count)) {
            uintptr_t address = frame->sp + pattern->words * sizeof(uintptr_t);
            if (!wick_stack_read(reader, address, frame->sp, &pc) || !may_call(list, module, pc)) {
                return false;
            }
            *frame = (wick_frame){pc, address + sizeof(uintptr_t), frame->fp, frame->base, false};
            return true;
        }
    }
    // Behind a system call whose return has no rule because a new thread may return there as well
    // (clone): in the caller's thread, the top of the stack is an address behind a call.
    if (module && reader->scratch && matches(frame->pc, syscall, sizeof syscall, NULL, 0) &&
        wick_stack_read(reader, frame->sp, frame->sp, &pc) &&
        wick_unwind_find(list, pc) == module && follows_call(pc)) {
        *frame = (wick_frame){pc, frame->sp + sizeof(uintptr_t), frame->fp, frame->base, false};
        return true;
    }
    return false;
}

wick_step wick_step_uncovered(const wick_unwind_list *list, wick_stack_reader *reader,
                              wick_frame *frame, uint32_t *frame_pointer_steps) {
    const wick_unwind_entry *module = wick_unwind_find(list, frame->pc - !frame->exact);
    if (frame->exact && wick_may_be_code(frame->pc) &&
        step_by_code(list, module, reader, frame)) {
        return WICK_STEP_DONE;
    }
    uintptr_t fp = frame->fp;
    if (fp == 0 && module && !frame->exact) {
        // By the ABI, the thread's entry has cleared it (AMD64 ABI §3.4.1).
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
    if (pc == 0) {
        return WICK_STEP_END;
    }
    if (!may_call(list, module, pc)) {
        return WICK_STEP_IMPLAUSIBLE;
    }
    // Where base was saved is not known; 1 is below any stack.
    *frame = (wick_frame){pc, fp + 2 * sizeof(uintptr_t), saved_fp & ~ASYNC_FRAME_BIT, 1, false};
    return WICK_STEP_DONE;
}
