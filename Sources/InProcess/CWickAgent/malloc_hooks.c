// HOOK-SAFE. Each hook is three functions: the one that is called, which mostly jumps on to the
// allocator (a tail call, so that all registers but the arguments are the caller's); one in assembler, which
// keeps the caller's registers for the walk; and what is done for an allocation that is followed.
#include "malloc_hooks.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "allocation.h"
#include "defining_symbol.h"
#include "got_hooks.h"
#include "session.h"

// The hooked functions by what they do: (C name, allocates `a` bytes), … The names of the operators
// are those of the Itanium C++ ABI, and the last ones jemalloc's and C23's.
#define MALLOC_FAMILY(EACH)                                                                        \
    EACH(malloc, FIRST)                                                                            \
    EACH(calloc, PRODUCT)                                                                          \
    EACH(realloc, MOVE)                                                                            \
    EACH(posix_memalign, POINTER)                                                                  \
    EACH(aligned_alloc, SECOND)                                                                    \
    EACH(memalign, SECOND)                                                                         \
    EACH(valloc, FIRST)                                                                            \
    EACH(pvalloc, FIRST)                                                                           \
    EACH(free, FREE)

/// Where the allocator has them itself and does not come back to those above.
#define FURTHER_FAMILY(EACH)                                                                       \
    EACH(_Znwm, FIRST)                                                                             \
    EACH(_Znam, FIRST)                                                                             \
    EACH(_ZnwmRKSt9nothrow_t, FIRST)                                                               \
    EACH(_ZnamRKSt9nothrow_t, FIRST)                                                               \
    EACH(_ZnwmSt11align_val_t, FIRST)                                                              \
    EACH(_ZnamSt11align_val_t, FIRST)                                                              \
    EACH(_ZnwmSt11align_val_tRKSt9nothrow_t, FIRST)                                                \
    EACH(_ZnamSt11align_val_tRKSt9nothrow_t, FIRST)                                                \
    EACH(_ZdlPv, FREE)                                                                             \
    EACH(_ZdaPv, FREE)                                                                             \
    EACH(_ZdlPvm, FREE)                                                                            \
    EACH(_ZdaPvm, FREE)                                                                            \
    EACH(_ZdlPvRKSt9nothrow_t, FREE)                                                               \
    EACH(_ZdaPvRKSt9nothrow_t, FREE)                                                               \
    EACH(_ZdlPvSt11align_val_t, FREE)                                                              \
    EACH(_ZdaPvSt11align_val_t, FREE)                                                              \
    EACH(_ZdlPvmSt11align_val_t, FREE)                                                             \
    EACH(_ZdaPvmSt11align_val_t, FREE)                                                             \
    EACH(mallocx, FIRST)                                                                           \
    EACH(rallocx, MOVE)                                                                            \
    EACH(dallocx, FREE)                                                                            \
    EACH(sdallocx, FREE)                                                                           \
    EACH(free_sized, FREE)                                                                         \
    EACH(free_aligned_sized, FREE)

/// All have at most three arguments, and pass on what they do not have.
typedef uintptr_t function(uintptr_t a, uintptr_t b, uintptr_t c);
typedef uintptr_t body(uintptr_t a, uintptr_t b, uintptr_t c, const wick_registers *registers);

#define NAME_NUMBER(name, shape) NUMBER_##name,
enum : size_t { MALLOC_FAMILY(NAME_NUMBER) FURTHER_FAMILY(NAME_NUMBER) HOOK_COUNT };

/// The functions that were hooked, by number.
static function *real[HOOK_COUNT];

#ifdef WICK_INTERPOSE
static void find_malloc_family(void);

/// The loader may call before any constructor runs.
static inline function *real_of(size_t number) {
    if (__builtin_expect(!real[number], 0)) {
        find_malloc_family();
    }
    return real[number];
}
#else
static inline function *real_of(size_t number) {
    return real[number];
}
#endif

// MARK: what is done

/// 1 if the allocator calls itself by hooked names, as musl's calloc does. Else what comes while it is at
/// work is a signal's handler, whose allocations count.
static uint8_t nests = 1;

/// Calls the allocator.
static inline uintptr_t call(size_t number, uintptr_t a, uintptr_t b, uintptr_t c) {
    uint8_t depth = nests;
    wick_allocation_mine.depth += depth;
    uintptr_t result = real_of(number)(a, b, c);
    wick_allocation_mine.depth -= depth;
    return result;
}

static inline __attribute__((always_inline)) uintptr_t allocate(size_t number, uintptr_t a,
                                                                uintptr_t b, uintptr_t c,
                                                                size_t size,
                                                                const wick_registers *registers) {
    // First: with the allocator the following begins that WICK asks for.
    function *allocator = real_of(number);
    if (!wick_allocation_chooses(size)) {
        return allocator(a, b, c);
    }
    // An operator of C++ may throw, over this frame, so it does not count as a call into the allocator.
    uintptr_t block = number > NUMBER_free ? allocator(a, b, c) : call(number, a, b, c);
    if (block) {
        wick_allocation_note(block, size, registers);
    }
    return block;
}

static inline size_t product(size_t a, size_t b) {
    size_t size;
    return __builtin_mul_overflow(a, b, &size) ? 0 : size;
}

static uintptr_t allocate_to_pointer(size_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                                     const wick_registers *registers) {
    if (!wick_allocation_chooses(c)) {
        return real_of(number)(a, b, c);
    }
    uintptr_t error = call(number, a, b, c);
    if ((int)error == 0) {
        wick_allocation_note(*(uintptr_t *)a, c, registers);
    }
    return error;
}

static uintptr_t move(size_t number, uintptr_t a, uintptr_t b, uintptr_t c,
                      const wick_registers *registers) {
    bool chosen = wick_allocation_chooses(b);
    wick_live_block before;
    uint32_t type = 0;
    // Before: as soon as the allocator has it, the address can be another thread's.
    bool was_followed = a && wick_allocation_take(a, true, &before, &type);
    uintptr_t block = call(number, a, b, c);
    if (was_followed && !block && b != 0) {
        wick_allocation_stayed(a, before);
    } else if (was_followed) {
        wick_allocation_moved(before, type);
    }
    if (chosen && block) {
        wick_allocation_note(block, b, registers);
    }
    return block;
}

#define BODY_FIRST(number) return allocate(number, a, b, c, a, registers)
#define BODY_SECOND(number) return allocate(number, a, b, c, b, registers)
#define BODY_PRODUCT(number) return allocate(number, a, b, c, product(a, b), registers)
#define BODY_POINTER(number) return allocate_to_pointer(number, a, b, c, registers)
#define BODY_MOVE(number) return move(number, a, b, c, registers)
#define DEFINE_BODY(name, shape) DEFINE_BODY_##shape(name, shape)
#define DEFINE_BODY_FIRST WICK_DEFINE_BODY
#define DEFINE_BODY_SECOND WICK_DEFINE_BODY
#define DEFINE_BODY_PRODUCT WICK_DEFINE_BODY
#define DEFINE_BODY_POINTER WICK_DEFINE_BODY
#define DEFINE_BODY_MOVE WICK_DEFINE_BODY
#define DEFINE_BODY_FREE(name, shape)
#define WICK_DEFINE_BODY(name, shape)                                                               \
    __attribute__((used)) static uintptr_t wick_body_##name(                                       \
        uintptr_t a, uintptr_t b, uintptr_t c, const wick_registers *registers) {                  \
        BODY_##shape(NUMBER_##name);                                                               \
    }
MALLOC_FAMILY(DEFINE_BODY)
FURTHER_FAMILY(DEFINE_BODY)

// MARK: the caller's registers

// Calls the body with the arguments as they are and, as the fourth, a wick_registers on the stack.
#if defined(__x86_64__)
#define SLOW_WITH_REGISTERS(name)                                                                   \
    function wick_slow_##name __attribute__((visibility("hidden")));                               \
    __asm__(".text\n.hidden wick_slow_" #name "\n.globl wick_slow_" #name "\n"                     \
            ".type wick_slow_" #name ",@function\n.p2align 4\n"                                    \
            "wick_slow_" #name ":\n.cfi_startproc\n"                                               \
            "lea 8(%rsp), %rax\n"                                                                  \
            "push %r14\n.cfi_adjust_cfa_offset 8\n"                                                \
            "push %rbx\n.cfi_adjust_cfa_offset 8\n"                                                \
            "push %rbp\n.cfi_adjust_cfa_offset 8\n"                                                \
            "push %rax\n.cfi_adjust_cfa_offset 8\n"                                                \
            "push 32(%rsp)\n.cfi_adjust_cfa_offset 8\n"                                            \
            "mov %rsp, %rcx\n"                                                                     \
            "call wick_body_" #name "\n"                                                           \
            "add $40, %rsp\n.cfi_adjust_cfa_offset -40\n"                                          \
            "ret\n.cfi_endproc\n"                                                                  \
            ".size wick_slow_" #name ", .-wick_slow_" #name "\n");
#elif defined(__aarch64__)
#define SLOW_WITH_REGISTERS(name)                                                                   \
    function wick_slow_##name __attribute__((visibility("hidden")));                               \
    __asm__(".text\n.hidden wick_slow_" #name "\n.globl wick_slow_" #name "\n"                     \
            ".type wick_slow_" #name ",@function\n.p2align 4\n"                                    \
            "wick_slow_" #name ":\n.cfi_startproc\n"                                               \
            "stp x29, x30, [sp, #-64]!\n"                                                          \
            ".cfi_def_cfa_offset 64\n.cfi_offset 29, -64\n.cfi_offset 30, -56\n"                   \
            "add x9, sp, #64\n"                                                                    \
            "stp x30, x9, [sp, #16]\n"                                                             \
            "stp x29, x30, [sp, #32]\n"                                                            \
            "str x22, [sp, #48]\n"                                                                 \
            "mov x29, sp\n"                                                                        \
            "add x3, sp, #16\n"                                                                    \
            "bl wick_body_" #name "\n"                                                             \
            "ldp x29, x30, [sp], #64\n"                                                            \
            ".cfi_def_cfa_offset 0\n.cfi_restore 29\n.cfi_restore 30\n"                            \
            "ret\n.cfi_endproc\n"                                                                  \
            ".size wick_slow_" #name ", .-wick_slow_" #name "\n");
#endif

_Static_assert(offsetof(wick_registers, sp) == 8 && offsetof(wick_registers, fp) == 16 &&
                   offsetof(wick_registers, base) == 24 && offsetof(wick_registers, context) == 32,
               "as the code above writes them");


/// Of a free no stack is asked.
#define SLOW_FREE(name)                                                                             \
    __attribute__((noinline)) static uintptr_t wick_slow_##name(uintptr_t a, uintptr_t b,           \
                                                                uintptr_t c) {                      \
        wick_allocation_forget(a);                                                            \
        __attribute__((musttail)) return real_of(NUMBER_##name)(a, b, c);                           \
    }

#define SLOW_FIRST SLOW_WITH_REGISTERS
#define SLOW_SECOND SLOW_WITH_REGISTERS
#define SLOW_PRODUCT SLOW_WITH_REGISTERS
#define SLOW_POINTER SLOW_WITH_REGISTERS
#define SLOW_MOVE SLOW_WITH_REGISTERS
#define DEFINE_SLOW(name, shape) SLOW_##shape(name)
MALLOC_FAMILY(DEFINE_SLOW)
FURTHER_FAMILY(DEFINE_SLOW)

// MARK: what is called

#define PASSES_FIRST wick_allocation_passes(a)
#define PASSES_SECOND wick_allocation_passes(b)
#define PASSES_PRODUCT wick_allocation_passes(product(a, b))
#define PASSES_POINTER wick_allocation_passes(c)
#define PASSES_MOVE (wick_allocation_passes(b) & (a == 0 || wick_free_passes(a)))
#define PASSES_FREE (a == 0 || wick_free_passes(a))

#define DEFINE_HOOK(name, shape)                                                                   \
    __attribute__((visibility("hidden"))) function wick_hook_##name;                               \
    uintptr_t wick_hook_##name(uintptr_t a, uintptr_t b, uintptr_t c) {                            \
        if (__builtin_expect(PASSES_##shape, 1)) {                                                 \
            __attribute__((musttail)) return real_of(NUMBER_##name)(a, b, c);                      \
        }                                                                                          \
        __attribute__((musttail)) return wick_slow_##name(a, b, c);                                \
    }
MALLOC_FAMILY(DEFINE_HOOK)
FURTHER_FAMILY(DEFINE_HOOK)

// MARK: in place

#define ENTRY(name, shape) {#name, (uintptr_t)wick_hook_##name, 0},
static wick_got_hook hooks[] = {MALLOC_FAMILY(ENTRY) FURTHER_FAMILY(ENTRY)};

static wick_got_set all = {.hooks = hooks, .count = HOOK_COUNT, .takes_data = true};
static bool is_hooked;

/// The allocator that the program uses, whoever has brought it.
static wick_definition find_real(size_t number) {
    wick_definition found = wick_find_definition(hooks[number].name);
    real[number] = (function *)found.address;
    return found;
}

#ifdef WICK_INTERPOSE
#define EXPORT(name, shape)                                                                        \
    __asm__(".globl " #name "\n.type " #name ",@function\n.set " #name ", wick_hook_" #name "\n");
MALLOC_FAMILY(EXPORT)

static void find_malloc_family(void) {
    static bool was_here;
    bool is_first = !was_here;
    was_here = true;
    for (size_t number = 0; number <= NUMBER_free; number++) {
        find_real(number);
    }
    if (is_first) {
        wick_agent_begin_early();
    }
}
#endif

/// Finds out whether the allocator calls itself.
static void try_nesting(void) {
    wick_allocation_local *mine = &wick_allocation_mine;
    int error = errno;
    mine->depth++;
    mine->has_nested = false;
    // None passes.
    mine->left = INT64_MIN / 2;
    uintptr_t blocks[] = {real[NUMBER_calloc] ? real[NUMBER_calloc](1, 64, 0) : 0,
                          real[NUMBER_memalign] ? real[NUMBER_memalign](64, 64, 0) : 0};
    if (blocks[0] && real[NUMBER_realloc]) {
        uintptr_t moved = real[NUMBER_realloc](blocks[0], 1024, 0);
        blocks[0] = moved ? moved : blocks[0];
    }
    for (size_t i = 0; i < 2 && real[NUMBER_free]; i++) {
        real[NUMBER_free](blocks[i], 0, 0);
    }
    nests = mine->has_nested;
    mine->depth--;
    mine->mode = 0;
    errno = error;
}

bool wick_malloc_hook(void) {
    if (is_hooked) {
        return true;
    }
    uintptr_t allocator = 0;
    for (size_t number = 0; number < HOOK_COUNT; number++) {
        wick_definition found = find_real(number);
        allocator = number == 0 ? found.module : allocator;
        // The operators of the C++ library, and libc's sized frees, come back to malloc and free.
        bool is_wanted = number <= NUMBER_free || found.module == allocator;
        hooks[number].theirs = is_wanted ? found.address : 0;
    }
    size_t taken = wick_got_take(&all);
#ifdef WICK_INTERPOSE
    taken++;
#endif
    is_hooked = taken > 0;
    if (is_hooked) {
        try_nesting();
    }
    return is_hooked;
}

void wick_malloc_hook_again(void) {
    if (is_hooked) {
        wick_got_take(&all);
    }
}

void wick_malloc_unhook(void) {
    if (is_hooked) {
        wick_got_give_back(&all);
        is_hooked = false;
    }
}
