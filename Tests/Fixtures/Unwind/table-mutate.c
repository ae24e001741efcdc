// Builds tables from damaged bytes of a real library and walks random stacks with them: nothing may
// be read outside of what is given (build with -fsanitize=address), and nothing may trap or hang.
//
//   table-mutate LIBRARY COUNT SEED
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules.h"
#include "unwind_modules.h"

enum { STACK_BYTE_COUNT = 2048, FRAME_LIMIT = 64, CHANGE_LIMIT = 8 };

static uint64_t random_state;

static uint64_t random_below(uint64_t limit) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % limit;
}

static void fail(const char *what, size_t round) {
    fprintf(stderr, "%s in round %zu\n", what, round);
    abort();
}

static void check(const wick_cfi_table *table, size_t round) {
    for (size_t row = 0; row < table->row_count; row++) {
        if (row > 0 ? table->pcs[row] <= table->pcs[row - 1] : table->pcs[row] != 0) {
            fail("rows are not in order", round);
        }
        if (table->row_rules[row] >= table->rule_count ||
            table->pcs[row] > table->text_byte_count) {
            fail("a row is out of range", round);
        }
    }
    for (size_t i = 0; i < 64; i++) {
        uint32_t offset = (uint32_t)random_below(table->text_byte_count);
        uint32_t row = 0;
        while (row + 1 < table->row_count && table->pcs[row + 1] <= offset) {
            row += 1;
        }
        wick_cfi_rule expected = table->rules[table->row_rules[row]];
        wick_cfi_rule found = wick_cfi_table_find(table, offset);
        if (memcmp(&expected, &found, sizeof found) != 0) {
            fail("the search differs", round);
        }
    }
}

/// Walks stacks of random words, many of them addresses in the stack and in the code.
static size_t walk(const wick_unwind_list *list, bool with_windows, size_t round) {
    const wick_unwind_entry *entry = &list->entries[0];
    static uint8_t scratch[4096];
    uint8_t *stack = malloc(STACK_BYTE_COUNT);
    uintptr_t low = (uintptr_t)stack, frames[FRAME_LIMIT];
    size_t frame_count = 0;
    for (size_t i = 0; i < STACK_BYTE_COUNT / 8; i++) {
        uint64_t kind = random_below(4), word = random_state;
        word = kind == 0   ? low + random_below(STACK_BYTE_COUNT)
               : kind == 1 ? entry->text_start + random_below(entry->text_end - entry->text_start)
               : kind == 2 ? low + 8 * random_below(STACK_BYTE_COUNT / 8)
                           : word;
        memcpy(stack + 8 * i, &word, 8);
    }
    for (size_t i = 0; i < 16; i++) {
        // Code without a rule is only looked at where it is: this one is not mapped.
        uintptr_t pc = entry->text_start + random_below(entry->text_end - entry->text_start);
        wick_cfi_rule rule = wick_cfi_table_find(entry->table, (uint32_t)(pc - entry->text_start));
        if (rule.cfa == WICK_CFA_UNCOVERED) {
            continue;
        }
        // Below sp there is a red zone.
        uintptr_t sp = low + 128 + random_below(STACK_BYTE_COUNT - 128);
        sp &= ~(uintptr_t)(i % 4 ? 7 : 0);
        wick_registers registers = {pc, sp, low + random_below(STACK_BYTE_COUNT),
                                    low + random_below(STACK_BYTE_COUNT), 0};
        wick_stack_memory memory = {.high = low + STACK_BYTE_COUNT};
        if (with_windows) {
            memory.scratch = scratch;
            memory.scratch_byte_count = sizeof scratch;
        }
        wick_walk walk = wick_unwind_over(list, &registers, &memory, frames, FRAME_LIMIT);
        if (walk.frame_count < 1 || walk.frame_count > FRAME_LIMIT) {
            fail("frames", round);
        }
        frame_count += walk.frame_count;
    }
    free(stack);
    return frame_count;
}

int main(int count, char **arguments) {
    struct link_map *map = count == 4 ? dlopen(arguments[1], RTLD_LAZY) : NULL;
    wick_unwind_module module;
    if (!map || !find_module(map->l_name, &module) || !module.segment_start) {
        fprintf(stderr, "table-mutate LIBRARY COUNT SEED\n");
        return 2;
    }
    size_t rounds = strtoul(arguments[2], NULL, 10);
    random_state = strtoul(arguments[3], NULL, 10) * 2 + 1;

    // A copy that ends where its memory ends; everything in it is relative to itself.
    size_t segment_byte_count = module.segment_end - module.segment_start;
    const uint8_t *original = (const uint8_t *)module.segment_start;
    size_t header_at = (size_t)(module.eh_frame_hdr - original);
    size_t tables = 0, rows = 0, frames = 0;
    for (size_t round = 0; round < rounds; round++) {
        // Some are cut, anywhere behind the header.
        size_t byte_count = segment_byte_count;
        if (random_below(8) == 0) {
            byte_count = header_at + random_below(segment_byte_count - header_at + 1);
        }
        uint8_t *copy = malloc(byte_count);
        memcpy(copy, original, byte_count);
        uint64_t changes = random_below(CHANGE_LIMIT + 1);
        for (uint64_t i = 0; i < changes && byte_count > header_at; i++) {
            // One in four in the header's table, one in sixteen in the header itself.
            uint64_t kind = random_below(16);
            size_t room = byte_count - header_at;
            size_t most = kind == 0 ? 12 : kind < 4 ? module.eh_frame_hdr_byte_count : room;
            size_t at = header_at + random_below(most < room ? most : room);
            copy[at] = kind % 2 ? (uint8_t)random_below(256)
                                : (uint8_t)(copy[at] ^ (1u << random_below(8)));
        }
        if (round % 4 == 0 && byte_count > header_at + 3) {
            // DW_EH_PE_omit as the table's encoding: the section is read in order.
            copy[header_at + 3] = 0xff;
        }
        ptrdiff_t distance = copy - original;
        wick_unwind_module damaged = module;
        damaged.load_bias += (uintptr_t)distance;
        damaged.start += (uintptr_t)distance;
        damaged.end += (uintptr_t)distance;
        damaged.text_start += (uintptr_t)distance;
        damaged.text_end += (uintptr_t)distance;
        damaged.eh_frame_hdr += distance;
        damaged.segment_start = (uintptr_t)copy;
        damaged.segment_end = (uintptr_t)copy + byte_count;
        if (header_at + damaged.eh_frame_hdr_byte_count > byte_count && random_below(2)) {
            damaged.eh_frame_hdr_byte_count = byte_count - header_at;
        }
        bool refused;
        wick_cfi_table *table = wick_cfi_table_build(&damaged, &refused);
        if (refused) {
            fail("memory refused", round);
        }
        if (table) {
            check(table, round);
            wick_unwind_list *list = malloc(sizeof *list + sizeof(wick_unwind_entry));
            *list = (wick_unwind_list){.generation = 1, .count = 1};
            list->entries[0] = (wick_unwind_entry){damaged.load_bias, damaged.start, damaged.end,
                                                   damaged.text_start, damaged.text_end, table};
            frames += walk(list, random_below(2), round);
            free(list);
            tables += 1;
            rows += table->row_count;
            wick_cfi_table_destroy(table);
        }
        free(copy);
    }
    printf("mutations %zu tables %zu rows %zu frames %zu\n", rounds, tables, rows, frames);
    return 0;
}
