#include "cfi_program.h"

#include "cfi_expression.h"

enum : int64_t {
    WORD = sizeof(uint64_t),
    /// What 20 bits of words hold.
    CFA_OFFSET_LIMIT = WORD << 19,
};

/// DWARF 5 §7.24, and the extensions that compilers emit.
enum : uint8_t {
    DW_CFA_NOP = 0x00,
    DW_CFA_SET_LOC = 0x01,
    DW_CFA_ADVANCE_LOC1 = 0x02,
    DW_CFA_ADVANCE_LOC2 = 0x03,
    DW_CFA_ADVANCE_LOC4 = 0x04,
    DW_CFA_OFFSET_EXTENDED = 0x05,
    DW_CFA_RESTORE_EXTENDED = 0x06,
    DW_CFA_UNDEFINED = 0x07,
    DW_CFA_SAME_VALUE = 0x08,
    DW_CFA_REGISTER = 0x09,
    DW_CFA_REMEMBER_STATE = 0x0a,
    DW_CFA_RESTORE_STATE = 0x0b,
    DW_CFA_DEF_CFA = 0x0c,
    DW_CFA_DEF_CFA_REGISTER = 0x0d,
    DW_CFA_DEF_CFA_OFFSET = 0x0e,
    DW_CFA_DEF_CFA_EXPRESSION = 0x0f,
    DW_CFA_EXPRESSION = 0x10,
    DW_CFA_OFFSET_EXTENDED_SF = 0x11,
    DW_CFA_DEF_CFA_SF = 0x12,
    DW_CFA_DEF_CFA_OFFSET_SF = 0x13,
    DW_CFA_VAL_OFFSET = 0x14,
    DW_CFA_VAL_OFFSET_SF = 0x15,
    DW_CFA_VAL_EXPRESSION = 0x16,
    DW_CFA_AARCH64_NEGATE_RA_STATE = 0x2d,
    DW_CFA_GNU_ARGS_SIZE = 0x2e,
    DW_CFA_GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f,
    // These three carry an operand in their low six bits.
    DW_CFA_ADVANCE_LOC = 0x40,
    DW_CFA_OFFSET = 0x80,
    DW_CFA_RESTORE = 0xc0,
};

/// A program's whole state.
typedef struct {
    const wick_cfi_cie *cie;
    wick_cfi_state now, initial;
    wick_cfi_state remembered[WICK_CFI_REMEMBER_LIMIT];
    unsigned remembered_count;
} program;

static const wick_cfi_state UNKNOWN_STATE = {.cfa = WICK_CFA_UNKNOWN, .ra = WICK_RA_ELSEWHERE};

static bool is_saved(wick_saved_kind kind) {
    return kind == WICK_SAVED_AT_CFA || kind == WICK_SAVED_AT_FP;
}

/// A register's place with an offset that has so many bits; lost where it does not fit.
typedef struct {
    wick_saved_kind kind;
    int32_t words;
} place;

static place place_of(const wick_cfi_state *state, wick_saved_kind kind, int64_t offset,
                      unsigned bits) {
    if (!is_saved(kind)) {
        return (place){.kind = kind};
    }
    int64_t limit = WORD << (bits - 1);
    bool is_far = offset < -limit || offset >= limit;
    if (is_far && kind == WICK_SAVED_AT_CFA && state->cfa == WICK_CFA_FP) {
        // At the bottom of a large frame, which is where fp points.
        kind = WICK_SAVED_AT_FP;
        offset += state->cfa_offset;
        is_far = offset < -limit || offset >= limit;
    }
    if (is_far || offset % WORD != 0) {
        return (place){.kind = WICK_SAVED_LOST};
    }
    return (place){.kind = kind, .words = (int32_t)(offset / WORD)};
}

static wick_cfi_rule rule_of(const wick_cfi_state *state, bool is_signal_frame,
                             wick_cfi_rows *rows) {
    const wick_cfi_rule unknown = {.cfa = WICK_CFA_UNKNOWN};
    if (state->ra == WICK_RA_UNDEFINED) {
        return (wick_cfi_rule){.cfa = WICK_CFA_END};
    }
    if (is_signal_frame && state->cfa == WICK_CFA_AT_SP &&
        state->cfa_offset == (int64_t)WICK_SIGNAL_FRAME_SP) {
        return (wick_cfi_rule){.cfa = WICK_CFA_SIGNAL, .is_signal_frame = 1};
    }
    bool has_return_address = WICK_HAS_LINK_REGISTER ||
                              (state->ra == WICK_RA_AT_CFA && state->ra_offset == -WORD);
    if (!has_return_address || state->cfa_offset < -CFA_OFFSET_LIMIT ||
        state->cfa_offset >= CFA_OFFSET_LIMIT || state->cfa_offset % WORD != 0 ||
        state->cfa == WICK_CFA_UNKNOWN) {
        return unknown;
    }
    if (state->cfa == WICK_CFA_BASE && !rows->tracks_base) {
        rows->needs_base = true;
        return unknown;
    }
    place fp = place_of(state, state->fp, state->fp_offset, 12);
    place base = place_of(state, state->base, state->base_offset, WICK_BASE_BITS);
    place context = place_of(state, state->context, state->context_offset, WICK_CONTEXT_BITS);
    if (fp.kind == WICK_SAVED_LOST && is_saved(state->fp)) {
        return unknown;
    }
    if (!rows->tracks_base) {
        base = (place){.kind = WICK_SAVED_LOST};
    }
    if (WICK_HAS_LINK_REGISTER) {
        context = (place){.kind = WICK_SAVED_LOST};
    }
    return (wick_cfi_rule){
        .cfa_words = (int32_t)(state->cfa_offset / WORD),
        .parameter = state->cfa_parameter,
        .cfa = state->cfa,
        .fp = fp.kind,
        .fp_words = fp.words,
        .base = base.kind,
        .base_words = base.words,
        .context = context.kind,
        .context_words = context.words,
        .is_signal_frame = is_signal_frame,
    };
}

/// A register saved at CFA + offset.
static void set_saved(wick_cfi_state *state, uint64_t reg, int64_t offset) {
    if (reg == WICK_DWARF_FRAME_POINTER) {
        state->fp = WICK_SAVED_AT_CFA;
        state->fp_offset = offset;
    } else if (reg == WICK_DWARF_BASE) {
        state->base = WICK_SAVED_AT_CFA;
        state->base_offset = offset;
    } else if (reg == WICK_DWARF_CONTEXT) {
        state->context = WICK_SAVED_AT_CFA;
        state->context_offset = offset;
    } else if (reg == WICK_DWARF_RETURN_ADDRESS) {
        state->ra = WICK_RA_AT_CFA;
        state->ra_offset = offset;
    }
}

/// The CFA's offset, its register unchanged; an expression has no offset that could be set.
static void set_cfa_offset(wick_cfi_state *state, int64_t offset) {
    if (state->cfa != WICK_CFA_SP && state->cfa != WICK_CFA_FP && state->cfa != WICK_CFA_BASE) {
        state->cfa = WICK_CFA_UNKNOWN;
    }
    state->cfa_offset = offset;
}

static void restore(program *program, uint64_t reg) {
    if (reg == WICK_DWARF_FRAME_POINTER) {
        program->now.fp = program->initial.fp;
        program->now.fp_offset = program->initial.fp_offset;
    } else if (reg == WICK_DWARF_BASE) {
        program->now.base = program->initial.base;
        program->now.base_offset = program->initial.base_offset;
    } else if (reg == WICK_DWARF_CONTEXT) {
        program->now.context = program->initial.context;
        program->now.context_offset = program->initial.context_offset;
    } else if (reg == WICK_DWARF_RETURN_ADDRESS) {
        program->now.ra = program->initial.ra;
        program->now.ra_offset = program->initial.ra_offset;
    }
}

/// `a × b`, wrapping: what overflows is nonsense, and later found out of range.
static int64_t scaled(uint64_t a, int64_t b) {
    return (int64_t)(a * (uint64_t)b);
}

/// Runs instructions up to the next advance. Returns true with `*advance` set at one; false at the
/// end or at what is not understood, after which the state is unknown unless all was read.
static bool run_to_advance(program *program, wick_bytes *bytes, uint64_t pc, uint64_t *advance) {
    const wick_cfi_cie *cie = program->cie;
    wick_cfi_state *now = &program->now;
    while (bytes->at < bytes->end) {
        uint8_t opcode = wick_bytes_u8(bytes);
        uint8_t operand = opcode & 0x3f;
        switch (opcode & 0xc0) {
        case DW_CFA_ADVANCE_LOC: *advance = operand * cie->code_alignment; return true;
        case DW_CFA_OFFSET:
            set_saved(now, operand, scaled(wick_bytes_uleb(bytes), cie->data_alignment));
            continue;
        case DW_CFA_RESTORE: restore(program, operand); continue;
        default: break;
        }
        uint64_t reg;
        switch (opcode) {
        case DW_CFA_NOP: break;
        case DW_CFA_SET_LOC: {
            uint64_t target = wick_cfi_read_pointer(bytes, cie->pointer_encoding);
            *advance = target - pc;
            // Backwards: rows of the same code would contradict each other.
            bytes->failed |= target < pc;
            if (!bytes->failed) {
                return true;
            }
            break;
        }
        case DW_CFA_ADVANCE_LOC1:
        case DW_CFA_ADVANCE_LOC2:
        case DW_CFA_ADVANCE_LOC4:
            *advance = wick_bytes_unsigned(bytes, 1u << (opcode - DW_CFA_ADVANCE_LOC1)) *
                       cie->code_alignment;
            if (!bytes->failed) {
                return true;
            }
            break;
        case DW_CFA_OFFSET_EXTENDED:
            reg = wick_bytes_uleb(bytes);
            set_saved(now, reg, scaled(wick_bytes_uleb(bytes), cie->data_alignment));
            break;
        case DW_CFA_OFFSET_EXTENDED_SF:
            reg = wick_bytes_uleb(bytes);
            set_saved(now, reg, scaled((uint64_t)wick_bytes_sleb(bytes), cie->data_alignment));
            break;
        case DW_CFA_GNU_NEGATIVE_OFFSET_EXTENDED:
            reg = wick_bytes_uleb(bytes);
            set_saved(now, reg, scaled(-wick_bytes_uleb(bytes), cie->data_alignment));
            break;
        case DW_CFA_RESTORE_EXTENDED: restore(program, wick_bytes_uleb(bytes)); break;
        case DW_CFA_UNDEFINED:
            reg = wick_bytes_uleb(bytes);
            wick_cfi_set_lost(now, reg);
            if (reg == WICK_DWARF_RETURN_ADDRESS) {
                now->ra = WICK_RA_UNDEFINED;
            }
            break;
        case DW_CFA_SAME_VALUE:
            reg = wick_bytes_uleb(bytes);
            wick_cfi_set_lost(now, reg);
            if (reg == WICK_DWARF_FRAME_POINTER) {
                now->fp = WICK_SAVED_SAME;
            } else if (reg == WICK_DWARF_BASE) {
                now->base = WICK_SAVED_SAME;
            } else if (reg == WICK_DWARF_CONTEXT) {
                now->context = WICK_SAVED_SAME;
            }
            break;
        case DW_CFA_REGISTER:
        case DW_CFA_VAL_OFFSET:
        case DW_CFA_VAL_OFFSET_SF:
            wick_cfi_set_lost(now, wick_bytes_uleb(bytes));
            wick_bytes_uleb(bytes);
            break;
        case DW_CFA_REMEMBER_STATE:
            if (program->remembered_count == WICK_CFI_REMEMBER_LIMIT) {
                bytes->failed = true;
                break;
            }
            program->remembered[program->remembered_count++] = *now;
            break;
        case DW_CFA_RESTORE_STATE:
            if (program->remembered_count == 0) {
                bytes->failed = true;
                break;
            }
            *now = program->remembered[--program->remembered_count];
            break;
        case DW_CFA_DEF_CFA:
            wick_cfi_set_cfa_register(now, wick_bytes_uleb(bytes));
            now->cfa_offset = (int64_t)wick_bytes_uleb(bytes);
            break;
        case DW_CFA_DEF_CFA_SF:
            wick_cfi_set_cfa_register(now, wick_bytes_uleb(bytes));
            now->cfa_offset = scaled((uint64_t)wick_bytes_sleb(bytes), cie->data_alignment);
            break;
        case DW_CFA_DEF_CFA_REGISTER: wick_cfi_set_cfa_register(now, wick_bytes_uleb(bytes)); break;
        case DW_CFA_DEF_CFA_OFFSET: set_cfa_offset(now, (int64_t)wick_bytes_uleb(bytes)); break;
        case DW_CFA_DEF_CFA_OFFSET_SF:
            set_cfa_offset(now, scaled((uint64_t)wick_bytes_sleb(bytes), cie->data_alignment));
            break;
        case DW_CFA_DEF_CFA_EXPRESSION:
            wick_cfi_set_cfa_expression(now, wick_bytes_cut(bytes, wick_bytes_uleb(bytes)));
            break;
        case DW_CFA_EXPRESSION:
            reg = wick_bytes_uleb(bytes);
            wick_cfi_set_saved_expression(now, reg, wick_bytes_cut(bytes, wick_bytes_uleb(bytes)));
            break;
        case DW_CFA_VAL_EXPRESSION:
            wick_cfi_set_lost(now, wick_bytes_uleb(bytes));
            wick_bytes_take(bytes, wick_bytes_uleb(bytes));
            break;
        // The return address is signed from here on, or no more: its code bits are masked anyway.
        case DW_CFA_AARCH64_NEGATE_RA_STATE: bytes->failed = !WICK_HAS_LINK_REGISTER; break;
        case DW_CFA_GNU_ARGS_SIZE: wick_bytes_uleb(bytes); break;
        default: bytes->failed = true; break;
        }
        if (bytes->failed) {
            break;
        }
    }
    if (bytes->failed) {
        *now = UNKNOWN_STATE;
    }
    return false;
}

wick_cfi_state wick_cfi_initial_state(const wick_cfi_cie *cie) {
    // What a compiler does not mention: callee-saved registers are the same.
    const wick_cfi_state start = {.cfa = WICK_CFA_UNKNOWN,
                                  .fp = WICK_SAVED_SAME,
                                  .base = WICK_SAVED_SAME,
                                  .context = WICK_SAVED_SAME,
                                  .ra = WICK_RA_ELSEWHERE};
    program program = {.cie = cie, .now = start, .initial = start};
    wick_bytes bytes = cie->instructions;
    uint64_t advance;
    if (run_to_advance(&program, &bytes, 0, &advance)) {
        return UNKNOWN_STATE;
    }
    return program.now;
}

void wick_cfi_run(const wick_cfi_cie *cie, const wick_cfi_state *initial, const wick_cfi_fde *fde,
                  uintptr_t text_start, uint32_t start, uint32_t end, wick_cfi_rows *rows) {
    program program = {.cie = cie, .now = *initial, .initial = *initial};
    wick_bytes bytes = fde->instructions;
    uint64_t pc = start, advance = 0;
    while (pc < end) {
        bool more = run_to_advance(&program, &bytes, text_start + pc, &advance);
        if (!more || advance > 0) {
            wick_cfi_rule rule = rule_of(&program.now, cie->is_signal_frame, rows);
            wick_cfi_rows_append(rows, (uint32_t)pc, rule);
        }
        if (!more || advance > end - pc) {
            break;
        }
        pc += advance;
    }
}
