// The unwind table of one module: built once from .eh_frame, then only read, by handlers too.
//
//   pc − text_start ─► bucket (512 bytes of code) ─► row ─► rule
#pragma once

#include "cfi_rule.h"
#include "unwind.h"

enum : unsigned {
    /// Code bytes to a bucket, as a power of two: at one row per some ten bytes of code the search
    /// in a bucket stays within a few cache lines.
    WICK_CFI_BUCKET_SHIFT = 9,
};

typedef struct wick_cfi_table {
    uint32_t text_byte_count, row_count;
    const uint32_t *pcs;
    const uint16_t *row_rules;
    const wick_cfi_rule *rules;
    /// Bucket b: the last row that begins at or before its first byte. One more than buckets.
    const uint32_t *buckets;
    uint32_t rule_count;
    /// FDEs read, and those that were not understood, whose code counts as uncovered.
    uint32_t fde_count, skipped_fde_count;
    /// The one mapping that all of it is in, and how much of that was ever touched.
    size_t mapped_byte_count, used_byte_count;
    /// For whoever keeps tables; handlers do not look at it.
    struct wick_cfi_table *next;
} wick_cfi_table;

/// Builds the table of a module. Returns NULL if it has no .eh_frame_hdr that can be read, or, with
/// `*refused` set, if memory was refused.
wick_cfi_table *wick_cfi_table_build(const wick_unwind_module *module, bool *refused);

/// Gives the table's memory back; no handler may know it.
void wick_cfi_table_destroy(wick_cfi_table *table);

/// The rule at an offset < `text_byte_count` from the text's start. SIGNAL-SAFE.
static inline wick_cfi_rule wick_cfi_table_find(const wick_cfi_table *table, uint32_t offset) {
    uint32_t bucket = offset >> WICK_CFI_BUCKET_SHIFT;
    uint32_t row = table->buckets[bucket];
    uint32_t count = table->buckets[bucket + 1] - row + 1;
    while (count > 1) {
        uint32_t half = count / 2;
        row += table->pcs[row + half] <= offset ? half : 0;
        count -= half;
    }
    return table->rules[table->row_rules[row]];
}
