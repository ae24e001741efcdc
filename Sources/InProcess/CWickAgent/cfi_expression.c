#include "cfi_expression.h"

/// DWARF 5 §7.7.1.
enum : uint8_t {
    DW_OP_DEREF = 0x06,
    DW_OP_AND = 0x1a,
    DW_OP_PLUS = 0x22,
    DW_OP_PLUS_UCONST = 0x23,
    DW_OP_SHL = 0x24,
    DW_OP_GE = 0x2a,
    DW_OP_LIT0 = 0x30,
    DW_OP_BREG0 = 0x70,
};

void wick_cfi_set_cfa_register(wick_cfi_state *state, uint64_t reg) {
    state->cfa_parameter = 0;
    state->cfa = reg == WICK_DWARF_STACK_POINTER   ? WICK_CFA_SP
                 : reg == WICK_DWARF_FRAME_POINTER ? WICK_CFA_FP
                 : reg == WICK_DWARF_BASE          ? WICK_CFA_BASE
                                                   : WICK_CFA_UNKNOWN;
}

void wick_cfi_set_lost(wick_cfi_state *state, uint64_t reg) {
    if (reg == WICK_DWARF_FRAME_POINTER) {
        state->fp = WICK_SAVED_LOST;
    } else if (reg == WICK_DWARF_BASE) {
        state->base = WICK_SAVED_LOST;
    } else if (reg == WICK_DWARF_CONTEXT) {
        state->context = WICK_SAVED_LOST;
    } else if (reg == WICK_DWARF_RETURN_ADDRESS) {
        state->ra = WICK_RA_ELSEWHERE;
    }
}

/// The linker's expression for .plt: sp + 8 + ((pc & 15) ≥ n) << 3, n the offset in a stub of the
/// instruction after its push. `bytes` stands after sp + 8.
static bool read_plt_expression(wick_bytes *bytes, uint8_t *threshold) {
    const uint8_t expected[] = {DW_OP_BREG0 + WICK_DWARF_RETURN_ADDRESS, 0, DW_OP_LIT0 + 15,
                                DW_OP_AND};
    const uint8_t expected_end[] = {DW_OP_GE, DW_OP_LIT0 + 3, DW_OP_SHL, DW_OP_PLUS};
    for (size_t i = 0; i < sizeof expected; i++) {
        if (wick_bytes_u8(bytes) != expected[i]) {
            return false;
        }
    }
    *threshold = wick_bytes_u8(bytes) - DW_OP_LIT0;
    for (size_t i = 0; i < sizeof expected_end; i++) {
        if (wick_bytes_u8(bytes) != expected_end[i]) {
            return false;
        }
    }
    return *threshold < 32 && !bytes->failed && bytes->at == bytes->end;
}

void wick_cfi_set_cfa_expression(wick_cfi_state *state, wick_bytes expression) {
    uint64_t reg = wick_bytes_u8(&expression) - (uint64_t)DW_OP_BREG0;
    state->cfa_offset = wick_bytes_sleb(&expression);
    wick_cfi_set_cfa_register(state, reg);
    if (expression.failed || (state->cfa != WICK_CFA_SP && state->cfa != WICK_CFA_FP)) {
        state->cfa = WICK_CFA_UNKNOWN;
        return;
    }
    if (expression.at == expression.end) {
        return;
    }
    bool is_stack_pointer = state->cfa == WICK_CFA_SP;
    state->cfa = WICK_CFA_UNKNOWN;
    if (*expression.at != DW_OP_DEREF) {
        if (is_stack_pointer && state->cfa_offset == 8 &&
            read_plt_expression(&expression, &state->cfa_parameter)) {
            state->cfa = WICK_CFA_PLT;
        }
        return;
    }
    wick_bytes_u8(&expression);
    uint64_t addend = 0;
    if (expression.at != expression.end) {
        if (wick_bytes_u8(&expression) != DW_OP_PLUS_UCONST) {
            return;
        }
        addend = wick_bytes_uleb(&expression);
    }
    if (!expression.failed && expression.at == expression.end && addend <= UINT8_MAX) {
        state->cfa = is_stack_pointer ? WICK_CFA_AT_SP : WICK_CFA_AT_FP;
        state->cfa_parameter = (uint8_t)addend;
    }
}

void wick_cfi_set_saved_expression(wick_cfi_state *state, uint64_t reg, wick_bytes expression) {
    wick_cfi_set_lost(state, reg);
    if (reg == WICK_DWARF_FRAME_POINTER && wick_bytes_u8(&expression) == DW_OP_BREG0 + WICK_DWARF_FRAME_POINTER) {
        state->fp_offset = wick_bytes_sleb(&expression);
        if (!expression.failed && expression.at == expression.end) {
            state->fp = WICK_SAVED_AT_FP;
        }
    }
}

