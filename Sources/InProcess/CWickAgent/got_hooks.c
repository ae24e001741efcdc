#include "got_hooks.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "defining_symbol.h"
#include "dynamic_section.h"
#include "images.h"

#if defined(__x86_64__)
enum : uint32_t {
    JUMP_SLOT = R_X86_64_JUMP_SLOT,
    GLOBAL_DATA = R_X86_64_GLOB_DAT,
    ADDRESS = R_X86_64_64
};
#elif defined(__aarch64__)
enum : uint32_t {
    JUMP_SLOT = R_AARCH64_JUMP_SLOT,
    GLOBAL_DATA = R_AARCH64_GLOB_DAT,
    ADDRESS = R_AARCH64_ABS64
};
#endif

/// Whether a place is in memory that the module may write to, or could while it was relocated. Code that
/// was relocated (DT_TEXTREL) is neither.
static bool is_data(const wick_dynamic *in, uintptr_t place) {
    for (size_t i = 0; i < in->info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &in->info->dlpi_phdr[i];
        uintptr_t start = in->info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && place >= start && place - start < header->p_memsz) {
            return header->p_flags & PF_W;
        }
    }
    return false;
}

/// Changes a place that other threads may read at any time. Relocated tables are read-only.
static bool set(const wick_dynamic *in, uintptr_t *place, uintptr_t value) {
    uintptr_t page = (uintptr_t)getpagesize();
    uintptr_t start = (uintptr_t)place & ~(page - 1);
    if (!is_data(in, (uintptr_t)place)) {
        return false;
    }
    bool is_protected = start >= in->relro_start && start < in->relro_end;
    if (is_protected && mprotect((void *)start, page, PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    // Relaxed: both values are functions that are there for ever.
    __atomic_store_n(place, value, __ATOMIC_RELAXED);
    if (is_protected) {
        mprotect((void *)start, page, PROT_READ);
    }
    return true;
}

/// The symbol that a relocation puts the address of somewhere; 0 if it is of another kind.
static uint32_t symbol_of(const wick_got_set *hooks, const ElfW(Rela) *entry) {
    uint32_t type = (uint32_t)ELF64_R_TYPE(entry->r_info);
    bool is_address = type == ADDRESS && hooks->takes_data && entry->r_addend == 0;
    return type == JUMP_SLOT || type == GLOBAL_DATA || is_address ? ELF64_R_SYM(entry->r_info) : 0;
}

/// Whether any set has left places.
static bool has_left;

/// What is done with each entry.
typedef void change(wick_got_set *hooks, const wick_dynamic *in, const ElfW(Rela) *entry);

/// Remembers what a place led to before it was used; when there is no room, it will lead to the function
/// itself. Libraries that come back have their places where they were.
static void remember(wick_got_set *hooks, uintptr_t *place, uintptr_t value) {
    size_t i = 0;
    while (i < hooks->unbound_count && hooks->unbound[i].place != place) {
        i++;
    }
    if (i < WICK_UNBOUND_LIMIT) {
        hooks->unbound[i].place = place;
        hooks->unbound[i].value = value;
        hooks->unbound_count += i == hooks->unbound_count;
    }
}

static void take(wick_got_set *hooks, const wick_dynamic *in, const ElfW(Rela) *entry) {
    uint32_t symbol = symbol_of(hooks, entry);
    const char *name = symbol ? in->strings + in->symbols[symbol].st_name : "";
    for (size_t i = 0; symbol && i < hooks->count; i++) {
        const wick_got_hook *hook = &hooks->hooks[i];
        if (!hook->theirs || strcmp(name, hook->name) != 0) {
            continue;
        }
        uintptr_t *place = (uintptr_t *)(in->info->dlpi_addr + entry->r_offset);
        uintptr_t now = __atomic_load_n(place, __ATOMIC_RELAXED);
        // Another library's function of this name stays; a place that was not used yet leads into
        // its own module's code.
        bool is_unbound = ELF64_R_TYPE(entry->r_info) == JUMP_SLOT && now > in->info->dlpi_addr &&
                          now < in->load_end && now != hook->theirs && now != hook->ours;
        if (is_unbound && hooks->is_behind_libc && hooks->rivals >> i & 1) {
            // With RTLD_DEEPBIND the module finds its own libraries' functions first.
            has_left = true;
        } else if (is_unbound) {
            remember(hooks, place, now);
            hooks->taken_count += set(in, place, hook->ours);
        } else if (now == hook->theirs) {
            hooks->taken_count += set(in, place, hook->ours);
        }
        return;
    }
}

/// What a place led to if it had not been used then; else the function that it had found.
static uintptr_t value_before(const wick_got_set *hooks, const wick_dynamic *in,
                              const uintptr_t *place, uintptr_t theirs) {
    for (size_t i = 0; i < hooks->unbound_count; i++) {
        // Another module may be there by now.
        if (hooks->unbound[i].place == place && hooks->unbound[i].value > in->info->dlpi_addr &&
            hooks->unbound[i].value < in->load_end) {
            return hooks->unbound[i].value;
        }
    }
    return theirs;
}

static void give_back(wick_got_set *hooks, const wick_dynamic *in, const ElfW(Rela) *entry) {
    if (symbol_of(hooks, entry) == 0) {
        return;
    }
    uintptr_t *place = (uintptr_t *)(in->info->dlpi_addr + entry->r_offset);
    uintptr_t now = __atomic_load_n(place, __ATOMIC_RELAXED);
    for (size_t i = 0; i < hooks->count; i++) {
        if (now == hooks->hooks[i].ours) {
            set(in, place, value_before(hooks, in, place, hooks->hooks[i].theirs));
            return;
        }
    }
}

typedef struct {
    wick_got_set *hooks;
    change *what;
} work;

static int visit(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    const work *asked = context;
    wick_dynamic found;
    if (!wick_read_dynamic(info, &found) || found.is_ours) {
        return 0;
    }
    for (size_t table = 0; table < 2; table++) {
        size_t count = found.tables[table] ? found.byte_counts[table] / sizeof(ElfW(Rela)) : 0;
        for (size_t i = 0; i < count; i++) {
            asked->what(asked->hooks, &found, &found.tables[table][i]);
        }
    }
    uintptr_t in_libc = (uintptr_t)dl_iterate_phdr;
    asked->hooks->is_behind_libc |= found.load_start <= in_libc && in_libc < found.load_end;
    return 0;
}

size_t wick_got_take(wick_got_set *hooks) {
    hooks->taken_count = 0;
    hooks->rivals = 0;
    for (size_t i = 0; i < hooks->count; i++) {
        const wick_got_hook *hook = &hooks->hooks[i];
        bool has_rival = hook->theirs && wick_has_other_definition(hook->name, hook->theirs);
        hooks->rivals |= (uint64_t)has_rival << i;
    }
    hooks->is_behind_libc = false;
    wick_images_visit(visit, &(work){hooks, take});
    return hooks->taken_count;
}

bool wick_got_has_left(void) {
    return has_left;
}

void wick_got_give_back(wick_got_set *hooks) {
    wick_images_visit(visit, &(work){hooks, give_back});
    hooks->unbound_count = 0;
    has_left = false;
}
