// Single walks whose answer is known beforehand; a line each, "name ok" or "name FAILED".
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "modules.h"
#include "registers.h"
#include "unwind_modules.h"

enum { FRAME_LIMIT = 64 };
enum : long long { TRAP_FLAG = 0x100 };

/// Code without unwind information, as it has no .cfi directives. Each calls nothing or its first
/// argument, and returns.
void bare_leaf(void), bare_behind(void);
void bare_frame(void (*function)(void)), bare_swift_frame(void (*function)(void));
__asm__(".text\n"
        "bare_leaf: endbr64\n"
        "  push %rbp\n  mov %rsp, %rbp\n  nop\n  pop %rbp\n  ret\n"
        "  mov $39, %eax\n  syscall\n"
        "bare_behind: test %eax, %eax\n  ret\n"
        "bare_frame: push %rbp\n  .byte 0x48, 0x8b, 0xec\n  call *%rdi\n  nop\n  leave\n"
        "  repz ret\n"
        "bare_swift_frame: push %rbp\n  push %r14\n  lea 8(%rsp), %rbp\n  sub $8, %rsp\n"
        "  call *%rdi\n  add $8, %rsp\n  pop %r14\n  pop %rbp\n  ret\n"
        "bare_end:\n");
void bare_end(void);

static struct {
    /// Where the stepped code is, and what it returns to.
    uintptr_t start, end, return_address, entry, high;
    size_t steps, right, complete;
    bool armed;
} stepped;

static uint8_t scratch[8192];
static wick_rule_cache cache;

static wick_stack_memory known_memory(void) {
    return (wick_stack_memory){stepped.high, scratch, sizeof scratch, &cache};
}

/// After each instruction of the bare code: is its caller the one that called it?
static void on_step(int number, siginfo_t *info, void *raw) {
    (void)number, (void)info;
    ucontext_t *context = raw;
    wick_registers registers = registers_of(context);
    if (!stepped.armed) {
        context->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
        return;
    }
    if (registers.pc < stepped.start || registers.pc >= stepped.end) {
        return;
    }
    uintptr_t frames[FRAME_LIMIT];
    wick_stack_memory memory = known_memory();
    wick_walk walk = wick_unwind(&registers, &memory, frames, FRAME_LIMIT);
    stepped.steps += 1;
    bool right = walk.frame_count > 1 && frames[1] > stepped.return_address &&
                 frames[1] < stepped.return_address + 64;
    bool complete = walk.truncation == 0 && frames[walk.frame_count - 1] == stepped.entry;
    stepped.right += right;
    stepped.complete += complete;
    if (!right || !complete) {
        fprintf(stderr, "at +%lx: truncation %u,", (unsigned long)(registers.pc - stepped.start),
                walk.truncation);
        for (size_t i = 0; i < walk.frame_count; i++) {
            fprintf(stderr, " %lx", (unsigned long)frames[i]);
        }
        fprintf(stderr, "\n");
    }
}

static void report(const char *name, bool ok) {
    printf("%s %s\n", name, ok ? "ok" : "FAILED");
}

static void nothing(void) {
}

/// Calls `function` with the trap flag set, and asks that at each of at least `least` steps in
/// `from`..<`end` of it the caller is found.
__attribute__((noinline)) static void step_through(const char *name, void *function,
                                                   void *from, void *end, size_t least) {
    stepped.start = (uintptr_t)from;
    stepped.end = (uintptr_t)end;
    stepped.steps = stepped.right = stepped.complete = 0;
    stepped.armed = true;
    // The address before the call, so that what it returns to is a few bytes further.
    stepped.return_address = (uintptr_t)&&calling;
    void (*call)(void (*)(void)) = (void (*)(void (*)(void)))(uintptr_t)function;
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
calling:
    call(nothing);
    stepped.armed = false;
    __asm__ volatile("nop" ::: "memory");
    report(name, stepped.steps >= least && stepped.right == stepped.steps &&
                     stepped.complete == stepped.steps);
}

/// The same code where no module is.
static void step_through_made_code(void) {
    size_t byte_count = (uintptr_t)bare_end - (uintptr_t)bare_frame;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, (void *)(uintptr_t)bare_frame, byte_count);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    uintptr_t swift_at = (uintptr_t)bare_swift_frame - (uintptr_t)bare_frame;
    step_through("code made at run time", page, page, (char *)page + swift_at, 5);
}

/// Frame-pointer chains by hand, in code of no module.
static void walk_chains(void) {
    enum { WORDS = 512 };
    static uintptr_t stack[WORDS];
    uintptr_t frames[FRAME_LIMIT], low = (uintptr_t)stack;
    // Code of no module in which every other byte ends a call: call *%rdi.
    uint8_t *calls = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < 4096; i++) {
        calls[i] = i % 2 ? 0xd7 : 0xff;
    }
    uintptr_t code = (uintptr_t)calls + 64;
    wick_stack_memory memory = {.high = low + sizeof stack};
    wick_registers registers = {.pc = (uintptr_t)on_step, .sp = low, .fp = low};
    // The walk looks at the code that runs, so that is real; it has a rule, which reads [sp].
    stack[0] = code;
    registers.fp = low + 80;
    for (size_t i = 10; i < WORDS - 8; i += 10) {
        stack[i] = low + 8 * (i + 10);
        stack[i + 1] = code + i;
    }
    stack[11] = code;
    wick_walk walk = wick_unwind(&registers, &memory, frames, 20);
    report("more frames than the limit", walk.truncation == WICK_TRUNCATED_DEPTH &&
                                             walk.frame_count == 20 &&
                                             walk.frame_pointer_steps == 19);
    // Bit 60 of a saved frame pointer is a mark.
    stack[20] |= UINT64_C(1) << 60;
    walk = wick_unwind(&registers, &memory, frames, 20);
    report("a marked frame pointer", walk.truncation == WICK_TRUNCATED_DEPTH);
    stack[31] = 0;
    walk = wick_unwind(&registers, &memory, frames, 20);
    report("a return address of zero", walk.truncation == 0 && walk.frame_count == 4);
    stack[31] = code;
    stack[30] = low + 8 * 20;
    walk = wick_unwind(&registers, &memory, frames, 20);
    report("a frame that goes back", walk.truncation == WICK_TRUNCATED_BAD_FRAME &&
                                         walk.frame_count == 5);
    stack[30] = low + 8 * 40 + 4;
    walk = wick_unwind(&registers, &memory, frames, 20);
    report("a frame that is not aligned", walk.truncation == WICK_TRUNCATED_BAD_FRAME);
    stack[30] = low + sizeof stack;
    walk = wick_unwind(&registers, &memory, frames, 20);
    report("a frame past the stack", walk.truncation == WICK_TRUNCATED_MEMORY);
    stack[30] = low + 8 * 40;
    stack[31] = UINT64_C(1) << 47;
    walk = wick_unwind(&registers, &memory, frames, 20);
    report("an address that is no user's", walk.truncation == WICK_TRUNCATED_BAD_FRAME);
    stack[31] = code;
    memory.high = 0;
    walk = wick_unwind(&registers, &memory, frames, 20);
    report("nothing readable", walk.truncation == WICK_TRUNCATED_MEMORY && walk.frame_count == 1);
    memory.scratch = scratch;
    memory.scratch_byte_count = sizeof scratch;
    errno = 77;
    walk = wick_unwind(&registers, &memory, frames, 20);
    report("by windows", walk.truncation == WICK_TRUNCATED_DEPTH && walk.frame_count == 20);
    stack[31] = code + 1;
    walk = wick_unwind(&registers, &memory, frames, 20);
    report("where no call ends", walk.truncation == WICK_TRUNCATED_BAD_FRAME &&
                                     walk.frame_count == 4);
    stack[31] = code;
    registers.sp = registers.fp = 0x1000;
    walk = wick_unwind(&registers, &memory, frames, 20);
    report("an unmapped stack", walk.truncation == WICK_TRUNCATED_MEMORY);
    report("errno is kept", errno == 77);
}

/// A thread that is back from the kernel in a function without frame and rules. By hand, as the
/// processor's trap comes only one instruction later.
__attribute__((noinline)) static void walk_behind_system_call(void) {
    uintptr_t caller = (uintptr_t)__builtin_return_address(0), frames[FRAME_LIMIT];
    uintptr_t stack[] = {caller, 0, 0, 0};
    wick_registers registers = {.pc = (uintptr_t)bare_behind, .sp = (uintptr_t)stack, .fp = 3};
    wick_stack_memory memory = {(uintptr_t)(stack + 4), scratch, sizeof scratch, NULL};
    wick_walk walk = wick_unwind(&registers, &memory, frames, FRAME_LIMIT);
    report("behind a system call", walk.frame_count > 1 && frames[1] == caller);
    stack[0] = caller + 1;
    walk = wick_unwind(&registers, &memory, frames, FRAME_LIMIT);
    report("behind a system call, not called", walk.frame_count == 1 &&
                                                   walk.truncation == WICK_TRUNCATED_BAD_FRAME);
}

/// Random words for a stack, real code for the pc; all ways of reading.
static void walk_random_stacks(void) {
    long page = sysconf(_SC_PAGESIZE);
    uint8_t *pages = mmap(NULL, 3 * (size_t)page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uintptr_t low = (uintptr_t)pages + (uintptr_t)page, high = low + (uintptr_t)page;
    mprotect((void *)low, (size_t)page, PROT_READ | PROT_WRITE);
    const wick_unwind_list *list = wick_unwind_published();
    uintptr_t frames[FRAME_LIMIT];
    uint64_t state = 88172645463325252u;
    size_t frame_count = 0, walks = 0;
    for (size_t round = 0; round < 100000; round++) {
        if (round % 64 == 0) {
            for (uintptr_t at = low; at < high; at += 8) {
                state ^= state << 13, state ^= state >> 7, state ^= state << 17;
                const wick_unwind_entry *entry = &list->entries[state % list->count];
                uintptr_t size = entry->text_end - entry->text_start;
                uintptr_t word = state % 4 == 0   ? state
                                 : state % 4 == 1 ? low + (state >> 8) % (uintptr_t)page
                                                  : entry->text_start + (state >> 8) % size;
                memcpy((void *)at, &word, 8);
            }
        }
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        const wick_unwind_entry *entry = &list->entries[state % list->count];
        uintptr_t size = entry->text_end - entry->text_start;
        wick_registers registers = {entry->text_start + (state >> 8) % size,
                                    low + (state >> 32) % (uintptr_t)page,
                                    low + (state >> 40) % (uintptr_t)page,
                                    low + (state >> 48) % (uintptr_t)page, 0};
        if (round % 3) {
            registers.sp &= ~(uintptr_t)7, registers.fp &= ~(uintptr_t)7;
        }
        wick_stack_memory memory = {.high = round % 2 ? high : 0, .cache = &cache};
        if (round % 8 < 3) {
            memory.scratch = scratch;
            memory.scratch_byte_count = sizeof scratch;
        }
        wick_walk walk = wick_unwind(&registers, &memory, frames, FRAME_LIMIT);
        walks += walk.frame_count >= 1 && walk.frame_count <= FRAME_LIMIT;
        frame_count += walk.frame_count;
    }
    report("random stacks", walks == 100000 && frame_count > walks);
}

/// Modules that come and go.
static void publish_and_remove(void) {
    const wick_unwind_list *before = wick_unwind_published();
    wick_unwind_module module;
    if (!find_module("", &module)) {
        report("the program is a module", false);
        return;
    }
    size_t count = before->count;
    uintptr_t pc = (uintptr_t)publish_and_remove;
    const wick_unwind_entry *entry = wick_unwind_find(before, pc);
    report("found", entry && entry->table && entry->start == module.start);
    wick_unwind_remove_module(module.load_bias, module.start);
    const wick_unwind_list *without = wick_unwind_published();
    report("removed", without->count == count - 1 && !wick_unwind_find(without, pc));
    wick_unwind_remove_module(module.load_bias, module.start);
    report("removed twice", wick_unwind_published() == without);
    bool added = wick_unwind_add_module(&module);
    report("added again is as before", added && wick_unwind_published() == before);
    added = wick_unwind_add_module(&module);
    report("added twice is once", added && wick_unwind_published() == before);
    for (size_t i = 0; i < 10000; i++) {
        wick_unwind_remove_module(module.load_bias, module.start);
        added = wick_unwind_add_module(&module) && added;
    }
    report("ten thousand times", added && wick_unwind_published() == before);
    wick_unwind_module overlapping = module;
    overlapping.start += 4096;
    overlapping.eh_frame_hdr = NULL;
    added = wick_unwind_add_module(&overlapping);
    entry = wick_unwind_find(wick_unwind_published(), pc);
    report("a new module replaces what it overlaps",
           added && wick_unwind_published()->count == count && entry && !entry->table);
    wick_unwind_remove_module(overlapping.load_bias, overlapping.start);
    wick_unwind_add_module(&module);
}

int main(void) {
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    add_modules();
    uintptr_t frames[FRAME_LIMIT];
    ucontext_t here;
    getcontext(&here);
    // The kernel puts the program's arguments at its stack's top.
    extern char **environ;
    char **last = environ;
    while (*last) {
        last++;
    }
    stepped.high = (uintptr_t)last;
    wick_registers registers = registers_of(&here);
    wick_stack_memory memory = known_memory();
    wick_walk walk = wick_unwind(&registers, &memory, frames, FRAME_LIMIT);
    report("reaches the entry", walk.truncation == 0 && walk.frame_count >= 3);
    stepped.entry = frames[walk.frame_count - 1];

    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
    step_through("a leaf without rules", bare_leaf, bare_leaf, bare_behind, 6);
    step_through("a frame without rules", bare_frame, bare_frame, bare_swift_frame, 6);
    step_through("a Swift async frame without rules", bare_swift_frame, bare_swift_frame,
                 bare_end, 5);
    step_through_made_code();
    walk_chains();
    walk_behind_system_call();
    publish_and_remove();
    walk_random_stacks();
    return 0;
}
