// What the test programs share: the loaded modules, as the unwinder wants them described.
#pragma once

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "unwind.h"

/// Describes a module; false if it has no code.
static inline bool describe_module(const struct dl_phdr_info *info, wick_unwind_module *module) {
    *module = (wick_unwind_module){.load_bias = info->dlpi_addr, .start = UINTPTR_MAX,
                                   .text_start = UINTPTR_MAX};
    const ElfW(Phdr) *header = NULL;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME) {
            header = &info->dlpi_phdr[i];
        }
    }
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD) {
            continue;
        }
        uintptr_t start = info->dlpi_addr + segment->p_vaddr, end = start + segment->p_memsz;
        module->start = start < module->start ? start : module->start;
        module->end = end > module->end ? end : module->end;
        if (segment->p_flags & PF_X) {
            module->text_start = start < module->text_start ? start : module->text_start;
            module->text_end = end > module->text_end ? end : module->text_end;
        }
        if (header && header->p_vaddr - segment->p_vaddr < segment->p_memsz) {
            module->segment_start = start;
            module->segment_end = end;
        }
    }
    if (header) {
        module->eh_frame_hdr = (const uint8_t *)(info->dlpi_addr + header->p_vaddr);
        module->eh_frame_hdr_byte_count = header->p_memsz;
    }
    return module->text_start < module->text_end;
}

static int add_each(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    wick_unwind_module module;
    if (describe_module(info, &module) && wick_unwind_add_module(&module)) {
        *(size_t *)context += 1;
    }
    return 0;
}

/// Adds all loaded modules; returns how many.
static inline size_t add_modules(void) {
    size_t count = 0;
    dl_iterate_phdr(add_each, &count);
    return count;
}

typedef struct {
    const char *name;
    wick_unwind_module *module;
    bool found;
} module_search;

static int find_named(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    module_search *search = context;
    search->found = strcmp(info->dlpi_name, search->name) == 0 &&
                    describe_module(info, search->module);
    return search->found;
}

/// Describes the loaded module whose path is `name` ("" is the program itself).
static inline bool find_module(const char *name, wick_unwind_module *module) {
    module_search search = {name, module, false};
    dl_iterate_phdr(find_named, &search);
    return search.found;
}
