// See arc_runtime.h.
#include "arc_runtime.h"

#if defined(__x86_64__)

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "elf_symbols.h"
#include "images.h"

// MARK: symbols

#define SYMBOLS(EACH)                                                                              \
    EACH(swift_retain)                                                                             \
    EACH(swift_release)                                                                            \
    EACH(swift_retain_n)                                                                           \
    EACH(swift_release_n)                                                                          \
    EACH(swift_tryRetain)                                                                          \
    EACH(_swift_retain)                                                                            \
    EACH(_swift_release)                                                                           \
    EACH(_swift_retain_n)                                                                          \
    EACH(_swift_release_n)                                                                         \
    EACH(_swift_tryRetain)                                                                         \
    EACH(_swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly)

static const char *const names[] = {
#define NAME(name) #name,
    SYMBOLS(NAME)};
enum : size_t {
    SYMBOL_COUNT = sizeof(names) / sizeof(names[0]),
    FIRST_PLACE = WICK_ARC_CALL_COUNT,
    FLAG = 2 * WICK_ARC_CALL_COUNT,
};
_Static_assert(SYMBOL_COUNT == FLAG + 1, "calls, places and the flag");

#ifndef WICK_PRELOAD
// Linked into a Swift program, the agent finds its static runtime even if it is stripped.
#define DECLARE(name) extern char name[] __attribute__((weak));
SYMBOLS(DECLARE)

static void find_linked(uintptr_t *addresses) {
    size_t i = 0;
#define TAKE(name) addresses[i++] = (uintptr_t)name;
    SYMBOLS(TAKE)
}
#endif

/// Where a file may have the runtime's symbols though the loader does not tell: the program, with a
/// static runtime; and a library that was not loaded for all to see.
typedef struct {
    uintptr_t load_bias;
    char path[PATH_MAX];
} candidate;

typedef struct {
    candidate program, library;
    bool is_first;
} candidates;

static int visit_candidate(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    candidates *both = context;
    candidate *one = NULL;
    const char *path = info->dlpi_name;
    if (both->is_first) {
        both->is_first = false;
        one = &both->program;
        path = "/proc/self/exe";
    } else {
        const char *slash = strrchr(path, '/');
        if (strcmp(slash ? slash + 1 : path, "libswiftCore.so") == 0) {
            one = &both->library;
        }
    }
    if (one && strlen(path) < sizeof(one->path)) {
        one->load_bias = info->dlpi_addr;
        strcpy(one->path, path);
    }
    return 0;
}

static bool find_symbols(uintptr_t *addresses) {
#ifndef WICK_PRELOAD
    find_linked(addresses);
    if (addresses[WICK_ARC_RETAIN]) {
        return true;
    }
#endif
    for (size_t i = 0; i < SYMBOL_COUNT; i++) {
        addresses[i] = (uintptr_t)dlsym(RTLD_DEFAULT, names[i]);
    }
    if (addresses[WICK_ARC_RETAIN]) {
        return true;
    }
    // Not on the stack, which may be small; callers are one at a time.
    static candidates both;
    both = (candidates){.is_first = true};
    wick_images_visit(visit_candidate, &both);
    const candidate *order[] = {&both.program, &both.library};
    for (size_t i = 0; i < 2 && addresses[WICK_ARC_RETAIN] == 0; i++) {
        if (order[i]->path[0]) {
            wick_elf_find_symbols(order[i]->path, order[i]->load_bias, names, addresses,
                                  SYMBOL_COUNT);
        }
    }
    return addresses[WICK_ARC_RETAIN] != 0;
}

// MARK: where they lie

typedef struct {
    uintptr_t start, end;
} range;

static bool contains(const range *in, uintptr_t address, size_t byte_count) {
    return address >= in->start && address < in->end && byte_count <= in->end - address;
}

/// The module of the runtime.
typedef struct {
    const uintptr_t *addresses;
    range text;
    /// Whether code lies in readable code, and what is written in writable data.
    bool is_sound;
} runtime_module;

static range extent(const struct dl_phdr_info *info, const ElfW(Phdr) *header) {
    uintptr_t start = info->dlpi_addr + header->p_vaddr;
    return (range){start, start + header->p_memsz};
}

/// The segment of this module that contains an address; NULL if none does.
static const ElfW(Phdr) *segment(const struct dl_phdr_info *info, uintptr_t address,
                                 size_t byte_count) {
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        range all = extent(info, header);
        if (header->p_type == PT_LOAD && contains(&all, address, byte_count)) {
            return header;
        }
    }
    return NULL;
}

/// Whether the loader has made it read-only after all (PT_GNU_RELRO).
static bool is_sealed(const struct dl_phdr_info *info, uintptr_t address) {
    uintptr_t page = (uintptr_t)getpagesize();
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
            range sealed = extent(info, &info->dlpi_phdr[i]);
            sealed = (range){sealed.start & ~(page - 1), (sealed.end + page - 1) & ~(page - 1)};
            if (contains(&sealed, address, 1)) {
                return true;
            }
        }
    }
    return false;
}

static int visit_module(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    runtime_module *module = context;
    const uintptr_t *addresses = module->addresses;
    const ElfW(Phdr) *code = segment(info, addresses[WICK_ARC_RETAIN], 1);
    if (!code) {
        return 0;
    }
    module->text = extent(info, code);
    module->is_sound = (code->p_flags & (PF_R | PF_X)) == (PF_R | PF_X);
    for (size_t i = FIRST_PLACE; i < SYMBOL_COUNT; i++) {
        size_t byte_count = i == FLAG ? 1 : sizeof(uintptr_t);
        const ElfW(Phdr) *data = segment(info, addresses[i], byte_count);
        module->is_sound = module->is_sound && data && (data->p_flags & PF_W) &&
                           !is_sealed(info, addresses[i]) && addresses[i] % byte_count == 0;
    }
    return 1;
}

// MARK: code

/// Instruction bytes; but what is above a byte stands for an address relative to the end of its
/// instruction, which it ends, in 4 bytes or (NEAR) 1.
typedef uint16_t code_byte;
enum : code_byte { TO_FLAG = 0x100, TO_PLACE, FAR, NEAR, HOLE_LIMIT };

#define CODE(...) {.bytes = (const code_byte[]){__VA_ARGS__}, \
    .count = sizeof((const code_byte[]){__VA_ARGS__}) / sizeof(code_byte)}

typedef struct {
    const code_byte *bytes;
    size_t count;
} code;

#define PUSH_RBP 0x55, 0x48, 0x89, 0xe5
/// movzbl flag(%rip), %eax; cmp $1, %al
#define TEST_FLAG 0x0f, 0xb6, 0x05, TO_FLAG, 0x3c, 0x01

/// What a call begins with, and what it goes on with where the flag is 1. The code between may
/// change from build to build: it is not run while the hooks are.
static const struct {
    code entry, slow;
} calls[WICK_ARC_CALL_COUNT] = {
    // je NEAR ► mov adapter(%rip), %rax; pop %rbp; jmp *%rax
    [WICK_ARC_RETAIN] = {CODE(PUSH_RBP, TEST_FLAG, 0x74, NEAR),
                         CODE(0x48, 0x8b, 0x05, TO_PLACE, 0x5d, 0xff, 0xe0)},
    // je NEAR ► pop %rbp; jmp adapter
    [WICK_ARC_RELEASE] = {CODE(PUSH_RBP, TEST_FLAG, 0x74, NEAR), CODE(0x5d, 0xe9, FAR)},
    // mov %esi, %edx … je NEAR ► mov place(%rip), %rax; mov %edx, %esi; pop %rbp; jmp *%rax
    [WICK_ARC_RETAIN_N] = {CODE(PUSH_RBP, 0x89, 0xf2, TEST_FLAG, 0x74, NEAR),
                           CODE(0x48, 0x8b, 0x05, TO_PLACE, 0x89, 0xd6, 0x5d, 0xff, 0xe0)},
    [WICK_ARC_RELEASE_N] = {CODE(PUSH_RBP, 0x89, 0xf2, TEST_FLAG, 0x74, NEAR),
                            CODE(0x48, 0x8b, 0x05, TO_PLACE, 0x89, 0xd6, 0x5d, 0xff, 0xe0)},
    // je FAR ► jmp *place(%rip)
    [WICK_ARC_TRY_RETAIN] = {CODE(TEST_FLAG, 0x0f, 0x84, FAR), CODE(0xff, 0x25, TO_PLACE)},
};

/// push %rbp; mov %rsp, %rbp; push %rbx; push %rax; mov %rdi, %rbx;
/// movabs $0x00fffffffffffff8, %rdi; and %rbx, %rdi; call *place(%rip)
static const code retain_adapter = CODE(PUSH_RBP, 0x53, 0x50, 0x48, 0x89, 0xfb, 0x48, 0xbf, 0xf8,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x48, 0x21,
                                        0xdf, 0xff, 0x15, TO_PLACE);
/// mov %rbx, %rax; add $8, %rsp; pop %rbx; pop %rbp; ret
static const code retain_adapter_end = CODE(0x48, 0x89, 0xd8, 0x48, 0x83, 0xc4, 0x08, 0x5b, 0x5d,
                                            0xc3);
/// push %rbp; mov %rsp, %rbp; pop %rbp; jmp *place(%rip)
static const code release_adapter = CODE(PUSH_RBP, 0x5d, 0xff, 0x25, TO_PLACE);

/// The addresses that matched code holds, by kind of hole; 0: none.
typedef struct {
    uintptr_t to[HOLE_LIMIT - TO_FLAG];
    /// Behind the code.
    uintptr_t end;
} match;

static bool matches(const code *expected, uintptr_t address, const range *text, match *result) {
    *result = (match){0};
    for (size_t i = 0; i < expected->count; i++) {
        code_byte byte = expected->bytes[i];
        size_t width = byte < TO_FLAG || byte == NEAR ? 1 : 4;
        if (!contains(text, address, width)) {
            return false;
        }
        const uint8_t *at = (const uint8_t *)address;
        address += width;
        if (byte >= TO_FLAG) {
            int32_t distance = (int8_t)*at;
            if (width == 4) {
                memcpy(&distance, at, sizeof(distance));
            }
            result->to[byte - TO_FLAG] = address + (uintptr_t)(intptr_t)distance;
        } else if (*at != byte) {
            return false;
        }
    }
    result->end = address;
    return true;
}

/// Whether a call leads through its place, and nothing but known code, while the flag is 1.
static bool is_known(wick_arc_runtime *runtime, wick_arc_call call, const runtime_module *module) {
    match entry, slow, adapter, end;
    if (!matches(&calls[call].entry, runtime->entries[call], &module->text, &entry) ||
        entry.to[0] != (uintptr_t)runtime->flag) {
        return false;
    }
    uintptr_t target = entry.to[(call == WICK_ARC_TRY_RETAIN ? FAR : NEAR) - TO_FLAG];
    if (!matches(&calls[call].slow, target, &module->text, &slow)) {
        return false;
    }
    uintptr_t place = slow.to[TO_PLACE - TO_FLAG];
    if (call == WICK_ARC_RELEASE) {
        if (!matches(&release_adapter, slow.to[FAR - TO_FLAG], &module->text, &adapter)) {
            return false;
        }
        place = adapter.to[TO_PLACE - TO_FLAG];
    } else if (call == WICK_ARC_RETAIN) {
        // Read by the runtime's own code, so it is mapped.
        uintptr_t code = __atomic_load_n((const uintptr_t *)place, __ATOMIC_RELAXED);
        if (!matches(&retain_adapter, code, &module->text, &adapter) ||
            !matches(&retain_adapter_end, adapter.end, &module->text, &end)) {
            return false;
        }
        place = adapter.to[TO_PLACE - TO_FLAG];
        runtime->adapter_return = adapter.end;
    }
    // The runtime's own function must be behind it, and not somebody else's hook.
    return place == (uintptr_t)runtime->places[call] &&
           contains(&module->text, __atomic_load_n(runtime->places[call], __ATOMIC_RELAXED), 1);
}

wick_arc_state wick_arc_find_runtime(wick_arc_runtime *found) {
    uintptr_t addresses[SYMBOL_COUNT] = {0};
    *found = (wick_arc_runtime){0};
    if (!find_symbols(addresses)) {
        return WICK_ARC_NO_RUNTIME;
    }
    for (size_t i = 0; i < SYMBOL_COUNT; i++) {
        if (addresses[i] == 0) {
            return WICK_ARC_UNKNOWN_RUNTIME;
        }
    }
    runtime_module module = {.addresses = addresses};
    wick_images_visit(visit_module, &module);
    if (!module.is_sound) {
        return WICK_ARC_UNKNOWN_RUNTIME;
    }
    found->flag = (uint8_t *)addresses[FLAG];
    for (wick_arc_call call = 0; call < WICK_ARC_CALL_COUNT; call++) {
        found->entries[call] = addresses[call];
        found->places[call] = (uintptr_t *)addresses[FIRST_PLACE + call];
    }
    for (wick_arc_call call = 0; call < WICK_ARC_CALL_COUNT; call++) {
        if (!is_known(found, call, &module)) {
            return WICK_ARC_UNKNOWN_RUNTIME;
        }
    }
    bool is_free = __atomic_load_n(found->flag, __ATOMIC_RELAXED) == 0;
    return is_free ? WICK_ARC_ON : WICK_ARC_UNKNOWN_RUNTIME;
}

#endif
