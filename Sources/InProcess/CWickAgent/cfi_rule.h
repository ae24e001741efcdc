// How to get from one frame to its caller, in eight bytes.
//
//   CFA   the caller's stack pointer after the call returned; on x86_64 the return address is the
//         word below it, on aarch64 it is the caller's base.
#pragma once

#include <stdint.h>

#include "unwind_arch.h"

typedef enum : uint8_t {
    /// No FDE covers the code.
    WICK_CFA_UNCOVERED,
    /// Covered, by a rule that has no form here.
    WICK_CFA_UNKNOWN,
    /// The return address is undefined: this is the outermost frame.
    WICK_CFA_END,
    /// sp + words, fp + words, base + words.
    WICK_CFA_SP,
    WICK_CFA_FP,
    WICK_CFA_BASE,
    /// sp + words, + 8 if (pc & 15) ≥ parameter: the stubs of .plt, which push once.
    WICK_CFA_PLT,
    /// *(sp + words) + parameter, *(fp + words) + parameter: re-aligned stacks.
    WICK_CFA_AT_SP,
    WICK_CFA_AT_FP,
    /// The registers are in the ucontext at sp.
    WICK_CFA_SIGNAL,
} wick_cfa_kind;

/// Where the caller's value of a register is.
typedef enum : uint8_t {
    WICK_SAVED_SAME,
    /// In the stack at CFA + words, at fp + words.
    WICK_SAVED_AT_CFA,
    WICK_SAVED_AT_FP,
    WICK_SAVED_LOST,
} wick_saved_kind;

/// Bits of the offsets, in words. Compilers save rbx and r14 beside the return address, x30 at the
/// bottom of frames of any size; x22 is not kept.
#if defined(__x86_64__)
enum { WICK_BASE_BITS = 7, WICK_CONTEXT_BITS = 6 };
#else
enum { WICK_BASE_BITS = 12, WICK_CONTEXT_BITS = 1 };
#endif

typedef struct {
    int32_t cfa_words : 20;
    uint32_t parameter : 8;
    uint32_t cfa : 4;
    int32_t fp_words : 12;
    int32_t base_words : WICK_BASE_BITS;
    int32_t context_words : WICK_CONTEXT_BITS;
    uint32_t fp : 2;
    /// On x86_64 only in modules where some CFA is base + offset; elsewhere lost.
    uint32_t base : 2;
    uint32_t context : 2;
    /// The caller was interrupted and made no call: its pc is exact.
    uint32_t is_signal_frame : 1;
} wick_cfi_rule;

_Static_assert(sizeof(wick_cfi_rule) == 8, "rules are kept and compared as one word");
