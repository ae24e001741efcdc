#include "cfi_rows.h"

#include <string.h>

enum : uint16_t { UNCOVERED_INDEX = 0, UNKNOWN_INDEX = 1 };

static uint64_t word_of(wick_cfi_rule rule) {
    uint64_t word;
    memcpy(&word, &rule, sizeof word);
    return word;
}

/// The rule's index; -1 if there is no room for another.
static int64_t index_of(wick_cfi_rows *rows, wick_cfi_rule rule) {
    uint64_t word = word_of(rule);
    // Fibonacci hashing: 2⁶⁴ / φ, the top 17 bits.
    size_t slot = (word * UINT64_C(0x9e3779b97f4a7c15)) >> 47;
    while (rows->slots[slot]) {
        uint32_t index = rows->slots[slot] - 1;
        if (word_of(rows->rules[index]) == word) {
            return index;
        }
        slot = (slot + 1) % WICK_CFI_HASH_SLOT_COUNT;
    }
    if (rows->rule_count == rows->rule_limit) {
        return -1;
    }
    rows->rules[rows->rule_count++] = rule;
    rows->slots[slot] = (uint32_t)rows->rule_count;
    return (int64_t)rows->rule_count - 1;
}

void wick_cfi_rows_begin(wick_cfi_rows *rows) {
    index_of(rows, (wick_cfi_rule){.cfa = WICK_CFA_UNCOVERED});
    // Interned while there is room, for when there is none.
    index_of(rows, (wick_cfi_rule){.cfa = WICK_CFA_UNKNOWN});
    rows->pcs[0] = 0;
    rows->row_rules[0] = UNCOVERED_INDEX;
    rows->row_count = 1;
}

void wick_cfi_rows_append(wick_cfi_rows *rows, uint32_t pc, wick_cfi_rule rule) {
    int64_t index = index_of(rows, rule);
    if (index < 0) {
        index = UNKNOWN_INDEX;
    }
    if (rows->pcs[rows->row_count - 1] == pc) {
        // The last row's range is empty: a gap that ended where this begins.
        rows->row_count -= 1;
    }
    size_t count = rows->row_count;
    if (count > 0 && rows->row_rules[count - 1] == index) {
        return;
    }
    if (count == rows->row_limit) {
        rows->row_rules[count - 1] = UNKNOWN_INDEX;
        return;
    }
    rows->pcs[count] = pc;
    rows->row_rules[count] = (uint16_t)index;
    rows->row_count = count + 1;
}
