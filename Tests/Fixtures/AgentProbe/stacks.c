// Stacks that are not a thread's own, and deep ones.
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "probe.h"

static uint8_t other_stack[64 << 10];

static void burn_on_signal(int number) {
    (void)number;
    burn(0.5);
}

/// Sampled while on a signal stack, whose bounds nobody told the agent.
static int signal_stack(char **arguments) {
    (void)arguments;
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)};
    struct sigaction action = {.sa_handler = burn_on_signal, .sa_flags = SA_ONSTACK};
    if (sigaltstack(&stack, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0) {
        return 1;
    }
    raise(SIGUSR1);
    return 0;
}

static void burn_shortly_on_signal(int number) {
    (void)number;
    burn(0.03);
}

__attribute__((noinline)) static void *change_signal_stacks(void *unused) {
    (void)unused;
    enum { BYTES = 64 << 10 };
    for (int i = 0; i < 10; i++) {
        void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        stack_t stack = {.ss_sp = memory, .ss_size = BYTES}, none = {.ss_flags = SS_DISABLE};
        if (memory == MAP_FAILED || sigaltstack(&stack, NULL) != 0) {
            return (void *)1;
        }
        raise(SIGUSR1);
        sigaltstack(&none, NULL);
        munmap(memory, BYTES);
        burn(0.01);
    }
    return NULL;
}

/// Signal stacks of several threads, each given back after a while.
static int signal_stacks(char **arguments) {
    (void)arguments;
    struct sigaction action = {.sa_handler = burn_shortly_on_signal, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        if (pthread_create(&threads[i], NULL, change_signal_stacks, NULL) != 0) {
            return 1;
        }
    }
    int result = 0;
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        result |= failed != NULL;
    }
    return result;
}

/// Deeper than what the agent keeps.
__attribute__((noinline)) static int recurse(int depth) {
    if (depth == 0) {
        burn(0.3);
        return 0;
    }
    return recurse(depth - 1) + (depth & 0);
}

static int deep(char **arguments) {
    (void)arguments;
    return recurse(10000);
}

// MARK: coroutines

enum { COROUTINE_COUNT = 16, SLICE_COUNT = 40, STACK_BYTES = 32 << 10, PAGE_BYTES = 4096 };

/// A stack that is freed at the end of its coroutine, and the way in and out of it.
typedef struct coroutine {
    uint8_t *memory;
    bool is_mapped, is_done;
    void *sp;
    ucontext_t context;
} coroutine;

/// One scheduler a thread.
typedef struct {
    coroutine coroutines[COROUTINE_COUNT];
    coroutine *current;
    void *sp;
    ucontext_t context;
    bool by_hand;
    /// The seconds of CPU time to go on for.
    double seconds;
} scheduler;

static _Thread_local scheduler *mine;

#if defined(__x86_64__)
/// Saves what the ABI asks for on this stack, leaves its pointer in *from and goes on at `to`.
void wick_probe_switch(void **from, void *to);
__asm__(".text\n"
        ".type wick_probe_switch,@function\n"
        "wick_probe_switch:\n"
        "  push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
        "  mov %rsp, (%rdi)\n"
        "  mov %rsi, %rsp\n"
        "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n"
        "  ret\n"
        ".size wick_probe_switch,.-wick_probe_switch\n");
#endif

__attribute__((noinline)) static void yield_now(void) {
    scheduler *own = mine;
#if defined(__x86_64__)
    if (own->by_hand) {
        wick_probe_switch(&own->current->sp, own->sp);
        return;
    }
#endif
    swapcontext(&own->current->context, &own->context);
}

__attribute__((noinline)) static int coroutine_work(int depth) {
    if (depth > 0) {
        return coroutine_work(depth - 1) + (depth & 0);
    }
    burn_leaf(1500);
    yield_now();
    burn_leaf(1500);
    return 0;
}

__attribute__((noinline)) static void coroutine_entry(void) {
    for (int i = 0; i < SLICE_COUNT; i++) {
        coroutine_work(i % 20);
    }
    mine->current->is_done = true;
    yield_now();
    abort();
}

static void begin_coroutine(scheduler *own, coroutine *new, bool is_mapped) {
    new->is_done = false;
    new->is_mapped = is_mapped;
    if (is_mapped) {
        new->memory = mmap(NULL, STACK_BYTES + PAGE_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mprotect(new->memory, PAGE_BYTES, PROT_NONE);
    } else {
        new->memory = malloc(STACK_BYTES + PAGE_BYTES);
    }
    uint8_t *low = new->memory + PAGE_BYTES;
    if (own->by_hand) {
        // Six registers, the entry, and 0 where its caller would be, as the ABI aligns it.
        uintptr_t *top = (uintptr_t *)((uintptr_t)(low + STACK_BYTES) & ~(uintptr_t)15) - 2;
        top[0] = (uintptr_t)coroutine_entry;
        top[1] = 0;
        top -= 6;
        for (int i = 0; i < 6; i++) {
            top[i] = 0;
        }
        new->sp = top;
        return;
    }
    getcontext(&new->context);
    new->context.uc_stack.ss_sp = low;
    new->context.uc_stack.ss_size = STACK_BYTES;
    new->context.uc_link = NULL;
    makecontext(&new->context, coroutine_entry, 0);
}

static void end_coroutine(coroutine *old) {
    if (old->is_mapped) {
        munmap(old->memory, STACK_BYTES + PAGE_BYTES);
    } else {
        free(old->memory);
    }
}

__attribute__((noinline)) static void *schedule(void *context) {
    scheduler *own = mine = context;
    for (int i = 0; i < COROUTINE_COUNT; i++) {
        begin_coroutine(own, &own->coroutines[i], i % 2);
    }
    double end = thread_cpu() + own->seconds;
    for (unsigned turn = 0; turn % 256 || thread_cpu() < end; turn++) {
        coroutine *next = own->current = &own->coroutines[turn % COROUTINE_COUNT];
#if defined(__x86_64__)
        if (own->by_hand) {
            wick_probe_switch(&own->sp, next->sp);
        } else
#endif
        {
            swapcontext(&own->context, &next->context);
        }
        if (next->is_done) {
            end_coroutine(next);
            begin_coroutine(own, next, turn / COROUTINE_COUNT % 2);
        }
    }
    for (int i = 0; i < COROUTINE_COUNT; i++) {
        end_coroutine(&own->coroutines[i]);
    }
    return NULL;
}

static int run_coroutines(bool by_hand) {
    static scheduler schedulers[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        schedulers[i].by_hand = by_hand;
        schedulers[i].seconds = 0.8;
        if (pthread_create(&threads[i], NULL, schedule, &schedulers[i]) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    // The first thread's stack has other bounds.
    static scheduler first;
    first.by_hand = by_hand;
    first.seconds = 0.8;
    schedule(&first);
    return 0;
}

/// Coroutines by makecontext and swapcontext.
static int coroutines(char **arguments) {
    (void)arguments;
    return run_coroutines(false);
}

/// Coroutines by a switch of our own, which has no unwind information.
static int coroutines_by_hand(char **arguments) {
    (void)arguments;
#if defined(__x86_64__)
    return run_coroutines(true);
#else
    return run_coroutines(false);
#endif
}

// MARK: a hole

#if defined(__x86_64__)
/// Works for `rounds` with the frame pointer at an address that is no frame's, as code without
/// frame pointers does; it has no unwind information either.
void wick_probe_lie(uint64_t rounds, void *frame_pointer);
__asm__(".text\n"
        ".type wick_probe_lie,@function\n"
        "wick_probe_lie:\n"
        "  push %rbp\n"
        "  mov %rsi, %rbp\n"
        "1: dec %rdi\n"
        "  jnz 1b\n"
        "  pop %rbp\n"
        "  ret\n"
        ".size wick_probe_lie,.-wick_probe_lie\n");

enum { PART_BYTES = 256 << 10 };
static uint8_t *region;
static ucontext_t on_thread, on_part;
static bool waits_for_agent;

static bool has_agent(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096];
    bool found = false;
    while (maps && !found && fgets(line, sizeof(line), maps)) {
        found = strstr(line, "memfd:wick") != NULL;
    }
    if (maps) {
        fclose(maps);
    }
    return found;
}

static void run_on_lower_part(void) {
    while (waits_for_agent && !has_agent()) {
        burn(0.01);
    }
    // Long enough for the bounds of this stack to be looked for.
    burn(0.3);
    munmap(region + PART_BYTES, PART_BYTES);
    for (int i = 0; i < 100; i++) {
        wick_probe_lie(10000000, region + PART_BYTES + 1024);
    }
    setcontext(&on_thread);
}

static void *run_beside_hole(void *unused) {
    (void)unused;
    getcontext(&on_part);
    on_part.uc_stack.ss_sp = region;
    on_part.uc_stack.ss_size = PART_BYTES;
    on_part.uc_link = NULL;
    makecontext(&on_part, run_on_lower_part, 0);
    swapcontext(&on_thread, &on_part);
    return NULL;
}
#endif

/// A coroutine's stack and the thread's own in one mapping, out of which a piece is unmapped; the
/// frame pointer points into the hole. With the argument "attached" all that begins before there is an
/// agent.
static int stack_with_hole(char **arguments) {
    (void)arguments;
#if defined(__x86_64__)
    waits_for_agent = arguments[0] && strcmp(arguments[0], "attached") == 0;
    region = mmap(NULL, 3 * PART_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_t thread;
    if (pthread_attr_setstack(&attributes, region + 2 * PART_BYTES, PART_BYTES) != 0 ||
        pthread_create(&thread, &attributes, run_beside_hole, NULL) != 0) {
        return 1;
    }
    pthread_join(thread, NULL);
#endif
    return 0;
}

const probe_mode stack_modes[] = {{"signal-stack", signal_stack},
                                  {"signal-stacks", signal_stacks},
                                  {"deep", deep},
                                  {"coroutines", coroutines},
                                  {"coroutines-by-hand", coroutines_by_hand},
                                  {"stack-with-hole", stack_with_hole},
                                  {NULL, NULL}};
