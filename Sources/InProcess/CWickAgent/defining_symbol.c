#include "defining_symbol.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

#include "dynamic_section.h"

typedef struct {
    const char *name;
    uint32_t hash;
    /// Is not looked for.
    uintptr_t known;
    wick_definition found;
} search;

/// The hash of DT_GNU_HASH: h · 33 + c from 5381.
static uint32_t gnu_hash(const char *name) {
    uint32_t hash = 5381;
    for (; *name; name++) {
        hash = hash * 33 + (uint8_t)*name;
    }
    return hash;
}

static const ElfW(Sym) *check(const wick_dynamic *in, const search *wanted, uint32_t number) {
    const ElfW(Sym) *symbol = &in->symbols[number];
    uint8_t type = ELF64_ST_TYPE(symbol->st_info);
    bool is_function = type == STT_FUNC && symbol->st_shndx != SHN_UNDEF && symbol->st_value;
    return is_function && strcmp(in->strings + symbol->st_name, wanted->name) == 0 ? symbol : NULL;
}

/// By DT_GNU_HASH: nbuckets, symoffset, bloom size, bloom shift; bloom words, buckets, chain.
static const ElfW(Sym) *find_by_gnu_hash(const wick_dynamic *in, const search *wanted) {
    const uint32_t *table = in->gnu_hash;
    uint32_t bucket_count = table[0], offset = table[1], bloom_count = table[2];
    const uint32_t *buckets = (const uint32_t *)((const uint64_t *)(table + 4) + bloom_count);
    const uint32_t *chain = buckets + bucket_count;
    uint32_t number = bucket_count ? buckets[wanted->hash % bucket_count] : 0;
    for (; number >= offset && number != 0; number++) {
        const ElfW(Sym) *symbol =
            (chain[number - offset] ^ wanted->hash) >> 1 == 0 ? check(in, wanted, number) : NULL;
        if (symbol || chain[number - offset] & 1) {
            return symbol;
        }
    }
    return NULL;
}

/// By DT_HASH, whose second word is the number of symbols.
static const ElfW(Sym) *find_by_hash(const wick_dynamic *in, const search *wanted) {
    for (uint32_t number = 1; number < in->hash[1]; number++) {
        const ElfW(Sym) *symbol = check(in, wanted, number);
        if (symbol) {
            return symbol;
        }
    }
    return NULL;
}

static int visit(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    search *wanted = context;
    wick_dynamic dynamic;
    // The loader has a malloc of its own, for its beginnings.
    if (!wick_read_dynamic(info, &dynamic) || dynamic.is_ours ||
        dynamic.load_start == getauxval(AT_BASE) ||
        dynamic.load_start == getauxval(AT_SYSINFO_EHDR)) {
        return 0;
    }
    const ElfW(Sym) *symbol = dynamic.gnu_hash ? find_by_gnu_hash(&dynamic, wanted)
                              : dynamic.hash   ? find_by_hash(&dynamic, wanted)
                                               : NULL;
    if (!symbol || info->dlpi_addr + symbol->st_value == wanted->known) {
        return 0;
    }
    wanted->found = (wick_definition){info->dlpi_addr + symbol->st_value, info->dlpi_addr};
    return 1;
}

wick_definition wick_find_definition(const char *name) {
    search wanted = {.name = name, .hash = gnu_hash(name)};
    dl_iterate_phdr(visit, &wanted);
    return wanted.found;
}

bool wick_has_other_definition(const char *name, uintptr_t address) {
    search wanted = {.name = name, .hash = gnu_hash(name), .known = address};
    dl_iterate_phdr(visit, &wanted);
    return wanted.found.address != 0;
}
