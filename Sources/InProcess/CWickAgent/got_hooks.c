#include "got_hooks.h"

#ifdef WICK_PRELOAD

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "images.h"

// The functions are found by the loader under their own names only if the agent was preloaded.
#define HOOKS(EACH)                                                                                \
    EACH(execve)                                                                                   \
    EACH(execv)                                                                                    \
    EACH(execvp)                                                                                   \
    EACH(execvpe)                                                                                  \
    EACH(fexecve)                                                                                  \
    EACH(execveat)                                                                                 \
    EACH(execl)                                                                                    \
    EACH(execlp)                                                                                   \
    EACH(execle)                                                                                   \
    EACH(_exit)                                                                                    \
    EACH(_Exit)                                                                                    \
    EACH(sigaction)                                                                                \
    EACH(signal)

#define DECLARE(name) extern __typeof__(name) wick_hook_##name __attribute__((visibility("hidden")));
HOOKS(DECLARE)

#if defined(__x86_64__)
enum : uint32_t { JUMP_SLOT = R_X86_64_JUMP_SLOT, GLOBAL_DATA = R_X86_64_GLOB_DAT };
#elif defined(__aarch64__)
enum : uint32_t { JUMP_SLOT = R_AARCH64_JUMP_SLOT, GLOBAL_DATA = R_AARCH64_GLOB_DAT };
#endif

typedef struct {
    const char *name;
    uintptr_t ours;
    /// libc's; 0: not there.
    uintptr_t theirs;
} hook;

static hook hooks[] = {
#define ENTRY(name) {#name, (uintptr_t)wick_hook_##name, 0},
    HOOKS(ENTRY)};
enum : size_t { HOOK_COUNT = sizeof(hooks) / sizeof(hooks[0]), UNBOUND_LIMIT = 1024 };

/// Places that were not used yet, and what they led to.
static struct {
    uintptr_t *place, value;
} unbound[UNBOUND_LIMIT];
static size_t unbound_count;

/// What of a module's dynamic section is needed; see elf(5).
typedef struct {
    const struct dl_phdr_info *info;
    /// Behind its last segment.
    uintptr_t end;
    uintptr_t relro_start, relro_end;
    const ElfW(Rela) *tables[2];
    size_t byte_counts[2];
    const ElfW(Sym) *symbols;
    const char *strings;
} module;

static uintptr_t absolute(const struct dl_phdr_info *info, uintptr_t address) {
    // glibc has made these absolute, but for modules that it may not write to.
    return address < info->dlpi_addr ? info->dlpi_addr + address : address;
}

static bool read_module(const struct dl_phdr_info *info, module *found) {
    const ElfW(Dyn) *dynamic = NULL;
    *found = (module){.info = info};
    uintptr_t page = (uintptr_t)getpagesize();
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_DYNAMIC) {
            dynamic = (const ElfW(Dyn) *)start;
        } else if (header->p_type == PT_GNU_RELRO) {
            found->relro_start = start & ~(page - 1);
            found->relro_end = (start + header->p_memsz) & ~(page - 1);
        } else if (header->p_type == PT_LOAD) {
            uintptr_t end = start + header->p_memsz;
            if ((uintptr_t)wick_got_take >= start && (uintptr_t)wick_got_take < end) {
                return false;  // The agent itself.
            }
            found->end = end > found->end ? end : found->end;
        }
    }
    bool has_addends = true;
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        uintptr_t value = dynamic->d_un.d_val;
        switch (dynamic->d_tag) {
        case DT_JMPREL: found->tables[0] = (const void *)absolute(info, value); break;
        case DT_PLTRELSZ: found->byte_counts[0] = value; break;
        case DT_RELA: found->tables[1] = (const void *)absolute(info, value); break;
        case DT_RELASZ: found->byte_counts[1] = value; break;
        case DT_SYMTAB: found->symbols = (const void *)absolute(info, value); break;
        case DT_STRTAB: found->strings = (const char *)absolute(info, value); break;
        case DT_PLTREL: has_addends = value == DT_RELA; break;
        default: break;
        }
    }
    return dynamic && has_addends && found->symbols && found->strings;
}

/// Changes a place that other threads may read at any time. Relocated tables are read-only.
static void set(const module *in, uintptr_t *place, uintptr_t value) {
    uintptr_t page = (uintptr_t)getpagesize();
    uintptr_t start = (uintptr_t)place & ~(page - 1);
    bool is_protected = start >= in->relro_start && start < in->relro_end;
    if (is_protected && mprotect((void *)start, page, PROT_READ | PROT_WRITE) != 0) {
        return;
    }
    // Relaxed: both values are functions that are there for ever.
    __atomic_store_n(place, value, __ATOMIC_RELAXED);
    if (is_protected) {
        mprotect((void *)start, page, PROT_READ);
    }
}

/// What is done with each entry.
typedef void change(const module *in, const ElfW(Rela) *entry);

static void take(const module *in, const ElfW(Rela) *entry) {
    uint32_t type = (uint32_t)ELF64_R_TYPE(entry->r_info);
    if (type != JUMP_SLOT && type != GLOBAL_DATA) {
        return;
    }
    const char *name = in->strings + in->symbols[ELF64_R_SYM(entry->r_info)].st_name;
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        if (hooks[i].theirs && strcmp(name, hooks[i].name) == 0) {
            uintptr_t *place = (uintptr_t *)(in->info->dlpi_addr + entry->r_offset);
            uintptr_t now = __atomic_load_n(place, __ATOMIC_RELAXED);
            // Another library's function of this name stays; a place that was not used yet leads into
            // its own module's code.
            bool is_unbound = type == JUMP_SLOT && now > in->info->dlpi_addr && now < in->end;
            if (is_unbound && unbound_count < UNBOUND_LIMIT) {
                unbound[unbound_count].place = place;
                unbound[unbound_count++].value = now;
                set(in, place, hooks[i].ours);
            } else if (now == hooks[i].theirs) {
                set(in, place, hooks[i].ours);
            }
            return;
        }
    }
}

/// What a place led to if it had not been used then; else libc's function.
static uintptr_t value_before(const module *in, const uintptr_t *place, uintptr_t theirs) {
    for (size_t i = 0; i < unbound_count; i++) {
        // Another module may be there by now.
        if (unbound[i].place == place && unbound[i].value > in->info->dlpi_addr &&
            unbound[i].value < in->end) {
            return unbound[i].value;
        }
    }
    return theirs;
}

static void give_back(const module *in, const ElfW(Rela) *entry) {
    uint32_t type = (uint32_t)ELF64_R_TYPE(entry->r_info);
    if (type != JUMP_SLOT && type != GLOBAL_DATA) {
        return;
    }
    uintptr_t *place = (uintptr_t *)(in->info->dlpi_addr + entry->r_offset);
    uintptr_t now = __atomic_load_n(place, __ATOMIC_RELAXED);
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        if (now == hooks[i].ours) {
            set(in, place, value_before(in, place, hooks[i].theirs));
            return;
        }
    }
}

static int visit(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    change *what = *(change **)context;
    module found;
    if (!read_module(info, &found)) {
        return 0;
    }
    for (size_t table = 0; table < 2; table++) {
        size_t count = found.tables[table] ? found.byte_counts[table] / sizeof(ElfW(Rela)) : 0;
        for (size_t i = 0; i < count; i++) {
            what(&found, &found.tables[table][i]);
        }
    }
    return 0;
}

void wick_got_take(void) {
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        // The one behind this library: the program's own place for it may be all that it has.
        hooks[i].theirs = (uintptr_t)dlsym(RTLD_NEXT, hooks[i].name);
    }
    change *what = take;
    wick_images_visit(visit, &what);
}

void wick_got_give_back(void) {
    change *what = give_back;
    wick_images_visit(visit, &what);
    unbound_count = 0;
}

#else

// A program that links the agent has its functions before libc's.
void wick_got_take(void) {
}

void wick_got_give_back(void) {
}

#endif
