// Code bytes of x86_64: what is known of an instruction where no rule is. SIGNAL-SAFE: calls only the
// functions of unwind_memory.h.
#include "unwind_uncovered.h"

#if defined(__x86_64__)

enum : uintptr_t {
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

/// The code around an interrupted pc, as far as its page goes.
typedef struct {
    uint8_t before_count, after_count;
    uint8_t bytes[8];
} code_window;

static code_window read_code(const wick_stack_reader *reader, const wick_frame *frame) {
    uintptr_t offset = frame->pc & (WICK_PAGE_BYTE_COUNT - 1);
    uintptr_t room = WICK_PAGE_BYTE_COUNT - offset;
    code_window window = {.before_count = offset < 3 ? (uint8_t)offset : 3,
                          .after_count = room < 5 ? (uint8_t)room : 5};
    uintptr_t start = frame->pc - window.before_count;
    size_t byte_count = window.before_count + window.after_count;
    if (frame->running) {
        // This page is mapped: the thread runs in it. Volatile, else this becomes a call of memcpy,
        // which may not be bound yet.
        for (size_t i = 0; i < byte_count; i++) {
            window.bytes[i] = ((const volatile uint8_t *)start)[i];
        }
    } else if (!reader->scratch ||
               wick_copy_memory(window.bytes, start, byte_count) != byte_count) {
        return (code_window){0};
    }
    return window;
}

static bool are_equal(const uint8_t *a, const uint8_t *b, size_t byte_count) {
    for (size_t i = 0; i < byte_count; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

static bool matches(const code_window *code, const code_pattern *pattern) {
    const uint8_t *pc = code->bytes + code->before_count;
    return code->before_count >= pattern->before_count &&
           code->after_count >= pattern->after_count &&
           are_equal(pc - pattern->before_count, pattern->before, pattern->before_count) &&
           are_equal(pc, pattern->after, pattern->after_count);
}

/// Bytes of the indirect call at `code`, from its ModRM byte (AMD64 manual, volume 3, §1.4); 0 if
/// it is none.
static size_t indirect_call_length(const uint8_t *code, size_t room) {
    uint8_t mod = code[1] >> 6, reg = code[1] >> 3 & 7, rm = code[1] & 7;
    if (code[0] != 0xff || reg != 2) {
        return 0;
    }
    if (mod == 3) {
        return 2;
    }
    bool has_sib = rm == 4;
    bool is_wide = mod == 2 || (mod == 0 && (rm == 5 || (has_sib && room > 2 &&
                                                          (code[2] & 7) == 5)));
    return 2 + has_sib + (is_wide ? 4 : mod == 1);
}

bool wick_follows_call(uintptr_t pc) {
    // e8 rel32, or ff /2 in one of its lengths.
    uint8_t code[CALL_BYTE_LIMIT];
    if (wick_copy_memory(code, pc - CALL_BYTE_LIMIT, CALL_BYTE_LIMIT) != CALL_BYTE_LIMIT) {
        return false;
    }
    if (code[CALL_BYTE_LIMIT - 5] == 0xe8) {
        return true;
    }
    for (size_t length = 2; length <= CALL_BYTE_LIMIT; length++) {
        if (indirect_call_length(code + CALL_BYTE_LIMIT - length, length) == length) {
            return true;
        }
    }
    return false;
}

bool wick_is_signal_return(uintptr_t pc) {
    // It is libc's, and has a rule.
    (void)pc;
    return false;
}

bool wick_step_by_code(const wick_unwind_list *list, const wick_unwind_entry *module,
                       wick_stack_reader *reader, wick_frame *frame, wick_step *step) {
    if (!frame->exact || !wick_may_be_code(frame->pc)) {
        return false;
    }
    *step = WICK_STEP_DONE;
    static const code_pattern behind_syscall = {2, 0, 0, {0x0f, 0x05}, {0}};
    code_window code = read_code(reader, frame);
    uintptr_t pc;
    for (size_t i = 0; i < sizeof PATTERNS / sizeof PATTERNS[0]; i++) {
        const code_pattern *pattern = &PATTERNS[i];
        if (matches(&code, pattern)) {
            uintptr_t address = frame->sp + pattern->words * sizeof(uintptr_t);
            if (!wick_stack_read(reader, address, frame->sp, &pc) || !wick_may_call(list, module, pc)) {
                return false;
            }
            wick_go_to_caller(frame, pc, address + sizeof(uintptr_t));
            return true;
        }
    }
    // Behind a system call whose return has no rule because a new thread may return there as well
    // (clone): in the caller's thread, the top of the stack is an address behind a call.
    if (module && reader->scratch && matches(&code, &behind_syscall) &&
        wick_stack_read(reader, frame->sp, frame->sp, &pc) &&
        wick_unwind_find(list, pc) == module && wick_follows_call(pc)) {
        wick_go_to_caller(frame, pc, frame->sp + sizeof(uintptr_t));
        return true;
    }
    return false;
}

#else

/// ISO C wants a declaration in every file.
typedef int wick_code_is_not_x86_64;

#endif
