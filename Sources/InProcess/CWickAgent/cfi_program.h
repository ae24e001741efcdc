// Runs the instructions of a CIE and an FDE (DWARF 5 §6.4.2) and notes what the unwinder needs of
// them: where the caller's stack pointer, frame pointer and return address are.
//
// Normal threads only.
#pragma once

#include "cfi_entry.h"
#include "cfi_expression.h"
#include "cfi_rows.h"

enum : unsigned {
    /// Nested DW_CFA_remember_state. Compilers nest once.
    WICK_CFI_REMEMBER_LIMIT = 8,
};

/// Runs a CIE's instructions: the state in which each of its functions begins.
wick_cfi_state wick_cfi_initial_state(const wick_cfi_cie *cie);

/// Appends the rows of one function, its code from `start` to `end` bytes after `text_start`.
void wick_cfi_run(const wick_cfi_cie *cie, const wick_cfi_state *initial, const wick_cfi_fde *fde,
                  uintptr_t text_start, uint32_t start, uint32_t end, wick_cfi_rows *rows);
