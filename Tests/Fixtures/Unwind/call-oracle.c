// The other half of walk-oracle.c: at each call of malloc and its kin by the main thread, the walk that goes on from
// the one before, as those of allocations do, against one that begins anew, as a tick's does. Where they differ, the
// first are printed. In a library of its own: code of these functions is nothing to be interrupted in.
#include <errno.h>
#include <stdio.h>

#include "oracle.h"
#include "unwind.h"

enum { FRAME_LIMIT = WICK_KNOWN_FRAME_LIMIT, SHOWN_LIMIT = 4 };

static wick_known_walk known;
static wick_rule_cache cache, anew_cache;
static uint8_t scratch[8192];
static bool is_inside;

static void compare(const wick_registers *registers) {
    static uintptr_t frames[FRAME_LIMIT], anew[FRAME_LIMIT];
    wick_stack_memory memory = {.high = stack_high,
                                .scratch = scratch,
                                .scratch_byte_count = sizeof(scratch),
                                .cache = &cache};
    wick_unwind_call(registers, &memory, &known);
    // As if the call itself had been interrupted: its rule is that of the frame.
    wick_registers at_call = *registers;
    at_call.pc -= 1;
    memory.cache = &anew_cache;
    wick_walk walk = wick_unwind(&at_call, &memory, anew, FRAME_LIMIT);
    anew[0] += 1;
    bool is_equal = known.count == walk.frame_count && known.truncation == walk.truncation;
    for (size_t i = 0; i < known.count; i++) {
        frames[i] = known.frames[known.count - 1 - i].pc;
        is_equal = is_equal && frames[i] == anew[i];
    }
    call_count++;
    if (!is_equal && differing_call_count++ < SHOWN_LIMIT) {
        fprintf(stderr, "call %zu: truncation %u, anew %u\n", call_count, known.truncation,
                walk.truncation);
        show("going on", frames, known.count);
        show("anew", anew, walk.frame_count);
    }
}

/// Called at the entry of the functions below.
__attribute__((used)) static void enter(const wick_registers *registers) {
    bool is_ours = registers->sp >= stack_low && registers->sp < stack_high;
    if (walks_from_calls && armed && is_ours && !is_inside) {
        int saved = errno;
        is_inside = true;
        compare(registers);
        is_inside = false;
        errno = saved;
    }
}

#if defined(__x86_64__)
#define PUSH(what) "push " what "\n.cfi_adjust_cfa_offset 8\n"
#define POP(what) "pop " what "\n.cfi_adjust_cfa_offset -8\n"

/// Stands before a function of libc. The stack then has pc, sp, fp, base and context.
#define BEFORE(name, ...)                                                                          \
    __attribute__((naked)) void *name(__VA_ARGS__) {                                               \
        __asm__(PUSH("%r14") PUSH("%rbx") PUSH("%rbp") "lea 32(%rsp), %rax\n" PUSH("%rax")         \
                    PUSH("32(%rsp)") "mov %rsp, %rax\n" PUSH("%rdi") PUSH("%rsi") PUSH("%rdx")     \
                        PUSH("%rax") "mov %rax, %rdi\n call enter\n" POP("%rax") POP("%rdx")       \
                            POP("%rsi") POP("%rdi") POP("%rax") POP("%rax") POP("%rbp")            \
                                POP("%rbx") POP("%r14") "jmp __libc_" #name "@PLT\n");             \
    }

_Static_assert(offsetof(wick_registers, pc) == 0 && offsetof(wick_registers, sp) == 8 &&
                   offsetof(wick_registers, fp) == 16 && offsetof(wick_registers, base) == 24 &&
                   offsetof(wick_registers, context) == 32,
               "as they are pushed");

BEFORE(malloc, size_t)
BEFORE(calloc, size_t, size_t)
BEFORE(realloc, void *, size_t)
#endif
