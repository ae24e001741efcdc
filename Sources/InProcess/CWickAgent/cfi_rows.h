// A module's unwind table while it is built. Rows of pcs are many (10⁵ in a large library), rules
// few (some hundreds), so a row names its rule by a 16-bit index.
//
//   pcs    0 ── 0x40 ── 0x41 ── 0x44 ── …      4 bytes a row, ascending, from the text's start
//   rules  2    17      18      19      …      2 bytes a row
//
// Normal threads only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfi_rule.h"

enum : uint32_t {
    WICK_CFI_RULE_LIMIT = 1u << 16,
    /// Slots of the hash that finds a rule's index; twice the limit, so that probing ends.
    WICK_CFI_HASH_SLOT_COUNT = 1u << 17,
};

typedef struct {
    uint32_t *pcs;
    uint16_t *row_rules;
    size_t row_count, row_limit;
    wick_cfi_rule *rules;
    size_t rule_count, rule_limit;
    /// `WICK_CFI_HASH_SLOT_COUNT` slots, zeroed: index + 1.
    uint32_t *slots;
    /// Whether rules say where base is; and whether one was left out that needs it.
    bool tracks_base, needs_base;
} wick_cfi_rows;

/// Makes the first row: nothing is covered yet.
void wick_cfi_rows_begin(wick_cfi_rows *rows);

/// Says that `rule` holds from `pc` on, which must not be less than the last row's; a row that
/// says nothing new is left out. Once rows or rules are full, the rule is unknown.
void wick_cfi_rows_append(wick_cfi_rows *rows, uint32_t pc, wick_cfi_rule rule);
