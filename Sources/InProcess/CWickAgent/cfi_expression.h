// Where a frame's registers are, as far as the unwinder needs it, and the few forms of it that
// DWARF states in registers and expressions (DWARF 5 §2.5, §6.4.2).
//
// Normal threads only.
#pragma once

#include "cfi_bytes.h"
#include "cfi_rule.h"

typedef struct {
    wick_cfa_kind cfa;
    uint8_t cfa_parameter;
    wick_saved_kind fp, base, context;
    /// Where the return address is; on x86_64 anything but CFA − 8 has no rule, on aarch64 it is base.
    enum : uint8_t { WICK_RA_AT_CFA, WICK_RA_UNDEFINED, WICK_RA_ELSEWHERE } ra;
    int64_t cfa_offset, fp_offset, base_offset, context_offset, ra_offset;
} wick_cfi_state;

/// The CFA is `reg` + the offset there is; unknown if that is no register of the walk.
void wick_cfi_set_cfa_register(wick_cfi_state *state, uint64_t reg);

/// The CFA is an expression's value. Known are those that occur: reg + n; *(reg + n) [+ m]; the
/// linker's one for .plt.
void wick_cfi_set_cfa_expression(wick_cfi_state *state, wick_bytes expression);

/// `reg` is in no memory known here.
void wick_cfi_set_lost(wick_cfi_state *state, uint64_t reg);

/// `reg` is saved at the address that an expression gives: re-aligned frames have fp at fp + n.
void wick_cfi_set_saved_expression(wick_cfi_state *state, uint64_t reg, wick_bytes expression);
