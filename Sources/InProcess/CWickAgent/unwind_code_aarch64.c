// Code words of aarch64: what is known of an instruction where no rule is. SIGNAL-SAFE: calls only the
// functions of unwind_memory.h.
#include "unwind_uncovered.h"

#if defined(__aarch64__)

/// A64 instructions (Arm Architecture Reference Manual, C6.2), and masks where operands vary.
enum : uint32_t {
    RET = 0xd65f03c0,
    RETAA_MASK = 0xfffffbff,
    RETAA = 0xd65f0bff,
    /// bti, paciasp, pacibsp: hints at a function's first instruction.
    BTI_MASK = 0xffffff3f,
    BTI = 0xd503241f,
    PACIASP = 0xd503233f,
    PACIBSP = 0xd503237f,
    /// stp x29, x30, [sp, #-n]!
    PUSH_FRAME_MASK = 0xffc07fff,
    PUSH_FRAME = 0xa9807bfd,
    /// mov x29, sp
    SET_FRAME = 0x910003fd,
    /// mov x8, #139 (rt_sigreturn); svc #0
    SIGRETURN = 0xd2801168,
    SYSTEM_CALL = 0xd4000001,
    BL_MASK = 0xfc000000,
    BL = 0x94000000,
    BLR_MASK = 0xfffffc1f,
    BLR = 0xd63f0000,
    /// blraa and its kin.
    BLRA_MASK = 0xfefff800,
    BLRA = 0xd63f0800,
};

/// Reads `count` instructions; false if they are not there.
static bool read_code(const wick_stack_reader *reader, const wick_unwind_entry *module,
                      const wick_frame *frame, uintptr_t pc, uint32_t *code, size_t count) {
    uintptr_t end = pc + count * sizeof(*code);
    bool is_mapped = (module && pc >= module->text_start && end <= module->text_end) ||
                     (frame->running && pc / WICK_PAGE_BYTE_COUNT == frame->pc / WICK_PAGE_BYTE_COUNT &&
                      (end - 1) / WICK_PAGE_BYTE_COUNT == frame->pc / WICK_PAGE_BYTE_COUNT);
    if (pc % sizeof(*code) != 0) {
        return false;
    }
    if (is_mapped) {
        for (size_t i = 0; i < count; i++) {
            code[i] = ((const volatile uint32_t *)pc)[i];
        }
        return true;
    }
    size_t byte_count = count * sizeof(*code);
    return reader->scratch && wick_copy_memory((uint8_t *)code, pc, byte_count) == byte_count;
}

bool wick_follows_call(uintptr_t pc) {
    uint32_t code;
    return pc % sizeof(code) == 0 &&
           wick_copy_memory((uint8_t *)&code, pc - sizeof(code), sizeof(code)) == sizeof(code) &&
           ((code & BL_MASK) == BL || (code & BLR_MASK) == BLR || (code & BLRA_MASK) == BLRA);
}

bool wick_is_signal_return(uintptr_t pc) {
    uint32_t code[2];
    return pc % sizeof(code[0]) == 0 &&
           wick_copy_memory((uint8_t *)code, pc, sizeof(code)) == sizeof(code) &&
           code[0] == SIGRETURN && code[1] == SYSTEM_CALL;
}

static bool is_push(uint32_t code) {
    return (code & PUSH_FRAME_MASK) == PUSH_FRAME;
}

/// adrp x16, …; ldr x17, [x16, …]; add x16, x16, …; br x17.
static bool is_in_plt(uint32_t code) {
    return (code & 0x9f00001f) == 0x90000010 || (code & 0xffc003ff) == 0xf9400211 ||
           (code & 0xff8003ff) == 0x91000210 || code == 0xd61f0220;
}

/// Whether the return address is in x30 and nothing on the stack yet, or no more.
static bool is_at_edge(uint32_t code) {
    return is_in_plt(code) || code == RET || (code & RETAA_MASK) == RETAA || (code & BTI_MASK) == BTI ||
           code == PACIASP || code == PACIBSP || is_push(code);
}

bool wick_step_by_code(const wick_unwind_list *list, const wick_unwind_entry *module,
                       wick_stack_reader *reader, wick_frame *frame, wick_step *step) {
    uint32_t code[2];
    if (!wick_may_be_code(frame->pc)) {
        return false;
    }
    // The kernel's trampoline has no rule; it is "returned" to at its first instruction, and may be
    // interrupted at its second.
    for (uintptr_t back = 0; back <= (frame->exact ? sizeof(uint32_t) : 0);
         back += sizeof(uint32_t)) {
        if (read_code(reader, module, frame, frame->pc - back, code, 2) && code[0] == SIGRETURN &&
            code[1] == SYSTEM_CALL) {
            *step = wick_step_signal(reader, frame);
            return true;
        }
    }
    if (!frame->exact) {
        return false;
    }
    uintptr_t pc;
    *step = WICK_STEP_DONE;
    if (read_code(reader, module, frame, frame->pc, code, 1) && is_at_edge(code[0])) {
        pc = frame->base & WICK_ADDRESS_MASK;
        if (!wick_may_call(list, module, pc)) {
            return false;
        }
        wick_go_to_caller(frame, pc, frame->sp);
        frame->base = WICK_LOST;
        return true;
    }
    // stp x29, x30, [sp, #-n]! │ mov x29, sp
    if (read_code(reader, module, frame, frame->pc - sizeof(uint32_t), code, 2) &&
        is_push(code[0]) && code[1] == SET_FRAME) {
        uintptr_t fp, byte_count = (128 - (code[0] >> 15 & 127)) * sizeof(uintptr_t);
        if (!wick_stack_read(reader, frame->sp, frame->sp, &fp) ||
            !wick_stack_read(reader, frame->sp + sizeof(uintptr_t), frame->sp, &pc) ||
            !wick_may_call(list, module, pc & WICK_ADDRESS_MASK)) {
            return false;
        }
        wick_go_to_caller(frame, pc & WICK_ADDRESS_MASK, frame->sp + byte_count);
        frame->fp = fp;
        frame->base = WICK_LOST;
        return true;
    }
    return false;
}

#else

/// ISO C wants a declaration in every file.
typedef int wick_code_is_not_aarch64;

#endif
