// Prints the path of a library and its unwind table: a line a row, "address cfa fp other", in the
// words of `readelf --debug-dump=frames-interp`; other is r14 or, on aarch64, the return address.
//
//   table-rows LIBRARY [linear]     linear: without the binary-search table of .eh_frame_hdr
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cfi_table.h"
#include "modules.h"

#if defined(__x86_64__)
#define SP_NAME "rsp"
#define FP_NAME "rbp"
#else
#define SP_NAME "sp"
#define FP_NAME "x29"
#endif

/// Where a register is: "u", "c-16", "exp", "lost".
static void print_place(wick_cfi_rule rule, unsigned kind, int words) {
    switch ((wick_saved_kind)kind) {
    case WICK_SAVED_SAME: printf(" u"); break;
    case WICK_SAVED_AT_CFA: printf(" c%+d", 8 * words); break;
    case WICK_SAVED_AT_FP:
        // At the bottom of a large frame: kept by fp, as its distance from the CFA is too large.
        if (rule.cfa == WICK_CFA_FP) {
            printf(" c%+d", 8 * (words - rule.cfa_words));
        } else {
            printf(" exp");
        }
        break;
    case WICK_SAVED_LOST: printf(" lost"); break;
    }
}

static void print_rule(wick_cfi_rule rule) {
    switch ((wick_cfa_kind)rule.cfa) {
    case WICK_CFA_UNCOVERED: printf("none - -\n"); return;
    case WICK_CFA_UNKNOWN: printf("unknown - -\n"); return;
    case WICK_CFA_END: printf("end - -\n"); return;
    case WICK_CFA_SIGNAL: printf("signal - -\n"); return;
    case WICK_CFA_SP: printf(SP_NAME "%+d", rule.cfa_words * 8); break;
    case WICK_CFA_FP: printf(FP_NAME "%+d", rule.cfa_words * 8); break;
    case WICK_CFA_BASE: printf("rbx%+d", rule.cfa_words * 8); break;
    case WICK_CFA_PLT:
    case WICK_CFA_AT_SP:
    case WICK_CFA_AT_FP: printf("exp"); break;
    }
    print_place(rule, rule.fp, rule.fp_words);
    if (WICK_HAS_LINK_REGISTER) {
        print_place(rule, rule.base, rule.base_words);
    } else {
        print_place(rule, rule.context, rule.context_words);
    }
    printf("\n");
}

int main(int count, char **arguments) {
    struct link_map *map = count > 1 ? dlopen(arguments[1], RTLD_LAZY) : NULL;
    wick_unwind_module module;
    if (!map || !find_module(map->l_name, &module)) {
        fprintf(stderr, "no such library\n");
        return 2;
    }
    if (count > 2) {
        // DW_EH_PE_omit as the table's encoding, in the mapped header.
        long page = sysconf(_SC_PAGESIZE);
        uint8_t *encoding = (uint8_t *)module.eh_frame_hdr + 3;
        void *start = (void *)((uintptr_t)encoding & ~(uintptr_t)(page - 1));
        if (mprotect(start, (size_t)page, PROT_READ | PROT_WRITE) != 0) {
            perror("mprotect");
            return 2;
        }
        *encoding = 0xff;
    }
    bool refused;
    wick_cfi_table *table = wick_cfi_table_build(&module, &refused);
    if (!table) {
        fprintf(stderr, "no table\n");
        return 1;
    }
    printf("path %s\n", map->l_name);
    for (size_t row = 0; row < table->row_count; row++) {
        wick_cfi_rule rule = table->rules[table->row_rules[row]];
        wick_cfi_rule found = wick_cfi_table_find(table, table->pcs[row]);
        if (memcmp(&rule, &found, sizeof rule) != 0) {
            fprintf(stderr, "row %zu is not found\n", row);
            return 1;
        }
        printf("%lx ", (unsigned long)(module.text_start - module.load_bias + table->pcs[row]));
        print_rule(rule);
    }
    fprintf(stderr, "rows %u rules %u functions %u skipped %u bytes %zu\n", table->row_count,
            table->rule_count, table->fde_count, table->skipped_fde_count, table->used_byte_count);
    wick_cfi_table_destroy(table);
    return 0;
}
