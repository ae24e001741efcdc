// What the loader knows of a loaded module; see elf(5).
#pragma once

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

typedef struct {
    const struct dl_phdr_info *info;
    /// Whether it is this very library; a program that links the agent is none of ours.
    bool is_ours;
    /// Of all its segments.
    uintptr_t load_start, load_end;
    uintptr_t relro_start, relro_end;
    /// Relocations: of DT_JMPREL, of DT_RELA.
    const ElfW(Rela) *tables[2];
    size_t byte_counts[2];
    const ElfW(Sym) *symbols;
    const char *strings;
    const uint32_t *gnu_hash, *hash;
} wick_dynamic;

/// glibc has made these addresses absolute, but for modules that it may not write to.
static inline const void *wick_dynamic_address(const struct dl_phdr_info *info, uintptr_t address) {
    return (const void *)(address < info->dlpi_addr ? info->dlpi_addr + address : address);
}

/// False if the module has no symbols, or relocations of another kind.
static inline bool wick_read_dynamic(const struct dl_phdr_info *info, wick_dynamic *found) {
    const ElfW(Dyn) *dynamic = NULL;
    *found = (wick_dynamic){.info = info, .load_start = UINTPTR_MAX};
    uintptr_t page = (uintptr_t)getpagesize();
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr, end = start + header->p_memsz;
        if (header->p_type == PT_DYNAMIC) {
            dynamic = (const ElfW(Dyn) *)start;
        } else if (header->p_type == PT_GNU_RELRO) {
            found->relro_start = start & ~(page - 1);
            found->relro_end = end & ~(page - 1);
        } else if (header->p_type == PT_LOAD) {
#ifdef WICK_PRELOAD
            uintptr_t here = (uintptr_t)wick_read_dynamic;
            found->is_ours |= here >= start && here < end;
#endif
            found->load_start = start < found->load_start ? start : found->load_start;
            found->load_end = end > found->load_end ? end : found->load_end;
        }
    }
    bool has_addends = true;
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        uintptr_t value = dynamic->d_un.d_val;
        const void *address = wick_dynamic_address(info, value);
        switch (dynamic->d_tag) {
        case DT_JMPREL: found->tables[0] = address; break;
        case DT_PLTRELSZ: found->byte_counts[0] = value; break;
        case DT_RELA: found->tables[1] = address; break;
        case DT_RELASZ: found->byte_counts[1] = value; break;
        case DT_SYMTAB: found->symbols = address; break;
        case DT_STRTAB: found->strings = address; break;
        case DT_GNU_HASH: found->gnu_hash = address; break;
        case DT_HASH: found->hash = address; break;
        case DT_PLTREL: has_addends = value == DT_RELA; break;
        default: break;
        }
    }
    return dynamic && has_addends && found->symbols && found->strings;
}
