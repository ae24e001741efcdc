#include "cfi_table.h"

#include "cfi_entry.h"
#include "cfi_program.h"
#include "cfi_rows.h"
#include "pages.h"

/// .eh_frame_hdr (LSB Core 5.0 §10.6.2): version, encodings of the pointer to .eh_frame, of the
/// count and of the table, then these. The table is sorted pairs (pc, FDE), relative to the
/// header's start.
enum : uint8_t {
    HEADER_VERSION = 1,
    TABLE_COUNT_ENCODING = 0x03,
    TABLE_ENCODING = 0x3b,
};

/// A function: its code as offsets from the text's start, its FDE as one from the segment's.
typedef struct {
    uint32_t start, end, fde;
} function;

typedef struct {
    const wick_unwind_module *module;
    wick_cfi_segment segment;
    /// Where entries are found: the binary-search table, or, with `pairs` NULL, the section.
    const uint8_t *pairs;
    size_t pair_count;
    const uint8_t *section;
    function *functions;
    size_t function_count, function_limit, skipped_count;
    /// Upper bound of the rows that the functions' instructions can make.
    uint64_t row_bound;
    bool sorted;
} builder;

static bool read_header(builder *builder) {
    const wick_unwind_module *module = builder->module;
    wick_bytes bytes = {module->eh_frame_hdr, NULL, false};
    if (bytes.at < builder->segment.start || bytes.at >= builder->segment.end ||
        module->eh_frame_hdr_byte_count > (size_t)(builder->segment.end - bytes.at)) {
        return false;
    }
    bytes.end = bytes.at + module->eh_frame_hdr_byte_count;
    uint8_t version = wick_bytes_u8(&bytes);
    uint8_t section_encoding = wick_bytes_u8(&bytes);
    uint8_t count_encoding = wick_bytes_u8(&bytes);
    uint8_t table_encoding = wick_bytes_u8(&bytes);
    uintptr_t section = wick_cfi_read_pointer(&bytes, section_encoding);
    if (bytes.failed || version != HEADER_VERSION) {
        return false;
    }
    builder->section = (const uint8_t *)section;
    if (count_encoding == TABLE_COUNT_ENCODING && table_encoding == TABLE_ENCODING) {
        uint64_t count = wick_bytes_unsigned(&bytes, 4);
        if (!bytes.failed && count <= wick_bytes_left(&bytes) / 8) {
            builder->pairs = bytes.at;
            builder->pair_count = count;
        }
    }
    return true;
}

/// Notes the function of the entry at `at`, if it is an FDE with code in the module's text.
static void note_function(builder *builder, const uint8_t *at, wick_cfi_cie *cie) {
    const wick_unwind_module *module = builder->module;
    wick_cfi_fde fde;
    if (!wick_cfi_read_fde(builder->segment, at, cie, &fde)) {
        builder->skipped_count += 1;
        return;
    }
    // Functions that the linker dropped have no bytes, or a pc of zero.
    if (fde.pc < module->text_start || fde.pc >= module->text_end || fde.byte_count == 0) {
        return;
    }
    uint32_t start = (uint32_t)(fde.pc - module->text_start);
    uint64_t room = module->text_end - fde.pc;
    uint32_t end = start + (uint32_t)(fde.byte_count < room ? fde.byte_count : room);
    if (builder->function_count == builder->function_limit) {
        return;
    }
    if (builder->function_count > 0 &&
        builder->functions[builder->function_count - 1].start > start) {
        builder->sorted = false;
    }
    builder->functions[builder->function_count++] =
        (function){start, end, (uint32_t)(at - builder->segment.start)};
    // A row needs an advance and a change, each a byte at least; plus the first, and the gap's.
    builder->row_bound += wick_bytes_left(&fde.instructions) / 2 + 3;
}

/// The entry of the table's pair; a bad one is outside of the segment, which is found later.
static const uint8_t *entry_of_pair(const builder *builder, size_t index) {
    wick_bytes bytes = {builder->pairs + 8 * index + 4, builder->pairs + 8 * index + 8, false};
    int32_t offset = (int32_t)wick_bytes_unsigned(&bytes, 4);
    return (const uint8_t *)((uintptr_t)builder->module->eh_frame_hdr + (uintptr_t)(intptr_t)offset);
}

/// Entries in the section, CIEs among them: enough room for its functions.
static size_t count_entries(const builder *builder) {
    size_t count = 0;
    for (const uint8_t *at = builder->section; at;
         at = wick_cfi_next_entry(builder->segment, at)) {
        count += 1;
    }
    return count;
}

static void note_functions(builder *builder) {
    wick_cfi_cie cie = {0};
    if (builder->pairs) {
        for (size_t i = 0; i < builder->pair_count; i++) {
            note_function(builder, entry_of_pair(builder, i), &cie);
        }
        return;
    }
    for (const uint8_t *at = builder->section; at;
         at = wick_cfi_next_entry(builder->segment, at)) {
        note_function(builder, at, &cie);
    }
    // CIEs and the terminator are entries too, and were not functions that could not be read.
    builder->skipped_count = 0;
}

static void sift_down(function *functions, size_t root, size_t count) {
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && functions[child].start < functions[child + 1].start) {
            child += 1;
        }
        if (functions[root].start >= functions[child].start) {
            return;
        }
        function swapped = functions[root];
        functions[root] = functions[child];
        functions[child] = swapped;
    }
}

/// Heap sort by start: in place, and n log n whatever the input (qsort may call malloc).
static void sort_functions(function *functions, size_t count) {
    for (size_t root = count / 2; root-- > 0;) {
        sift_down(functions, root, count);
    }
    for (size_t end = count; end-- > 1;) {
        function swapped = functions[0];
        functions[0] = functions[end];
        functions[end] = swapped;
        sift_down(functions, 0, end);
    }
}

/// Runs every function's instructions. The time is bounded though entries may overlap: at most
/// four times the segment's bytes are run, which an honest one needs once.
static void append_rows(builder *builder, wick_cfi_rows *rows) {
    wick_cfi_cie cie = {0};
    wick_cfi_state initial = {0};
    const uint8_t *initial_of = NULL;
    uint64_t budget = 4 * (uint64_t)(builder->segment.end - builder->segment.start);
    for (size_t i = 0; i < builder->function_count; i++) {
        function now = builder->functions[i];
        if (i + 1 < builder->function_count && builder->functions[i + 1].start < now.end) {
            now.end = builder->functions[i + 1].start;
        }
        wick_cfi_fde fde;
        if (now.start == now.end ||
            !wick_cfi_read_fde(builder->segment, builder->segment.start + now.fde, &cie, &fde)) {
            continue;
        }
        uint64_t cost = wick_bytes_left(&fde.instructions);
        if (initial_of != cie.at) {
            cost += wick_bytes_left(&cie.instructions);
        }
        if (cost > budget) {
            return;
        }
        budget -= cost;
        if (initial_of != cie.at) {
            initial = wick_cfi_initial_state(&cie);
            initial_of = cie.at;
        }
        wick_cfi_run(&cie, &initial, &fde, builder->module->text_start, now.start, now.end, rows);
        wick_cfi_rows_append(rows, now.end, (wick_cfi_rule){.cfa = WICK_CFA_UNCOVERED});
    }
}

static void fill_buckets(const wick_cfi_rows *rows, uint32_t *buckets, size_t bucket_count) {
    size_t row = 0;
    for (size_t bucket = 0; bucket <= bucket_count; bucket++) {
        while (row + 1 < rows->row_count &&
               rows->pcs[row + 1] <= (uint64_t)bucket << WICK_CFI_BUCKET_SHIFT) {
            row += 1;
        }
        buckets[bucket] = (uint32_t)row;
    }
}

static size_t aligned(size_t byte_count) {
    return (byte_count + 63) & ~(size_t)63;
}

/// Lays the table out in one mapping whose size is an upper bound; only what is used is touched.
/// The few modules in which a frame is found by base (the loader) are done again, with more rows.
static wick_cfi_table *make_table(builder *builder, bool tracks_base) {
    size_t text_byte_count = builder->module->text_end - builder->module->text_start;
    // Rows have different pcs.
    size_t row_limit = builder->row_bound < text_byte_count ? builder->row_bound : text_byte_count;
    row_limit += 2;
    size_t rule_limit = row_limit < WICK_CFI_RULE_LIMIT ? row_limit : WICK_CFI_RULE_LIMIT;
    size_t bucket_count = (text_byte_count >> WICK_CFI_BUCKET_SHIFT) + 1;
    size_t buckets_at = aligned(sizeof(wick_cfi_table));
    size_t rules_at = buckets_at + aligned((bucket_count + 1) * sizeof(uint32_t));
    size_t pcs_at = rules_at + aligned(rule_limit * sizeof(wick_cfi_rule));
    size_t row_rules_at = pcs_at + aligned(row_limit * sizeof(uint32_t));
    size_t mapped = row_rules_at + aligned(row_limit * sizeof(uint16_t));
    uint8_t *pages = wick_pages_map(mapped);
    uint32_t *slots = wick_pages_map(WICK_CFI_HASH_SLOT_COUNT * sizeof(uint32_t));
    if (!pages || !slots) {
        wick_pages_unmap(pages, mapped);
        wick_pages_unmap(slots, WICK_CFI_HASH_SLOT_COUNT * sizeof(uint32_t));
        return NULL;
    }
    wick_cfi_rows rows = {
        .pcs = (uint32_t *)(pages + pcs_at),
        .row_rules = (uint16_t *)(pages + row_rules_at),
        .row_limit = row_limit,
        .rules = (wick_cfi_rule *)(pages + rules_at),
        .rule_limit = rule_limit,
        .slots = slots,
        .tracks_base = tracks_base,
    };
    wick_cfi_rows_begin(&rows);
    append_rows(builder, &rows);
    uint32_t *buckets = (uint32_t *)(pages + buckets_at);
    fill_buckets(&rows, buckets, bucket_count);
    wick_pages_unmap(slots, WICK_CFI_HASH_SLOT_COUNT * sizeof(uint32_t));
    if (rows.needs_base) {
        wick_pages_unmap(pages, mapped);
        return make_table(builder, true);
    }

    wick_cfi_table *table = (wick_cfi_table *)pages;
    *table = (wick_cfi_table){
        .text_byte_count = (uint32_t)text_byte_count,
        .row_count = (uint32_t)rows.row_count,
        .pcs = rows.pcs,
        .row_rules = rows.row_rules,
        .rules = rows.rules,
        .buckets = buckets,
        .rule_count = (uint32_t)rows.rule_count,
        .fde_count = (uint32_t)builder->function_count,
        .skipped_fde_count = (uint32_t)builder->skipped_count,
        .mapped_byte_count = mapped,
        .used_byte_count = rules_at + rows.rule_count * sizeof(wick_cfi_rule) +
                           rows.row_count * (sizeof(uint32_t) + sizeof(uint16_t)),
    };
    return table;
}

wick_cfi_table *wick_cfi_table_build(const wick_unwind_module *module, bool *refused) {
    *refused = false;
    bool known = module->segment_start < module->segment_end;
    builder builder = {
        .module = module,
        .segment = {(const uint8_t *)(known ? module->segment_start : module->start),
                    (const uint8_t *)(known ? module->segment_end : module->end)},
        .sorted = true,
    };
    // Offsets are 32 bits wide.
    if (!module->eh_frame_hdr || module->text_start >= module->text_end ||
        module->text_end - module->text_start > UINT32_MAX ||
        (size_t)(builder.segment.end - builder.segment.start) > UINT32_MAX ||
        !read_header(&builder)) {
        return NULL;
    }
    builder.function_limit = builder.pairs ? builder.pair_count : count_entries(&builder);
    if (builder.function_limit == 0) {
        return NULL;
    }
    size_t byte_count = builder.function_limit * sizeof(function);
    builder.functions = wick_pages_map(byte_count);
    if (!builder.functions) {
        *refused = true;
        return NULL;
    }
    note_functions(&builder);
    if (!builder.sorted) {
        sort_functions(builder.functions, builder.function_count);
    }
    wick_cfi_table *table = make_table(&builder, WICK_HAS_LINK_REGISTER);
    *refused = table == NULL;
    wick_pages_unmap(builder.functions, byte_count);
    return table;
}

void wick_cfi_table_destroy(wick_cfi_table *table) {
    wick_pages_unmap(table, table ? table->mapped_byte_count : 0);
}
