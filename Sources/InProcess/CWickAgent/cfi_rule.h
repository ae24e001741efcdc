// How to get from one frame to its caller, in eight bytes.
//
//   CFA   the caller's stack pointer after the call returned; the return address is the word
//         below it.
#pragma once

#include <stdint.h>

typedef enum : uint8_t {
    /// No FDE covers the code.
    WICK_CFA_UNCOVERED,
    /// Covered, by a rule that has no form here.
    WICK_CFA_UNKNOWN,
    /// The return address is undefined: this is the outermost frame.
    WICK_CFA_END,
    /// sp + offset, fp + offset.
    WICK_CFA_SP,
    WICK_CFA_FP,
    /// sp + offset, + 8 if (pc & 15) ≥ parameter: the stubs of .plt, which push once.
    WICK_CFA_PLT,
    /// *(sp + offset) + parameter, *(fp + offset) + parameter: re-aligned stacks.
    WICK_CFA_AT_SP,
    WICK_CFA_AT_FP,
    /// The registers are in the ucontext at sp.
    WICK_CFA_SIGNAL,
} wick_cfa_kind;

typedef enum : uint8_t {
    WICK_FP_SAME,
    /// Saved at CFA + offset, at fp + offset.
    WICK_FP_AT_CFA,
    WICK_FP_AT_FP,
    WICK_FP_LOST,
} wick_fp_kind;

typedef struct {
    int32_t cfa_offset;
    int16_t fp_offset;
    uint8_t parameter;
    uint8_t cfa : 4;
    uint8_t fp : 3;
    /// The caller was interrupted and made no call: its pc is exact.
    uint8_t is_signal_frame : 1;
} wick_cfi_rule;

_Static_assert(sizeof(wick_cfi_rule) == 8, "rules are kept and compared as one word");
