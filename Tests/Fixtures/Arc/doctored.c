// A library with the entry points of a Swift runtime, written from what they are known to do, and
// spoilt as asked: -DSPOILT=CRASHES and so on. GOOD is as libswiftCore 6.3.
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define GOOD 0
#define CRASHES 1
#define HANGS 2
/// A retain that does nothing.
#define FORGETS 3
/// An adapter that keeps the word in another register.
#define OTHER_ADAPTER 4
#define NO_FLAG 5
/// Somebody else's hook is in a place, or the flag is on.
#define TAKEN 6
#define FLAG_ON 7

#define SHOWN __attribute__((visibility("default")))
#define KEPT __attribute__((used, visibility("hidden")))

enum : uint64_t { ONE_STRONG = UINT64_C(1) << 33 };

typedef struct {
    void *type;
    uint64_t references;
} object;

#if SPOILT != NO_FLAG
SHOWN uint8_t _swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly =
    SPOILT == FLAG_ON;
#else
KEPT uint8_t _swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly;
#endif

static void *retain_n(object *one, uint32_t count) {
    if ((intptr_t)one > 0) {
        one->references += count * ONE_STRONG;
    }
    return one;
}

static void release_n(object *one, uint32_t count) {
    if ((intptr_t)one > 0) {
        one->references -= count * ONE_STRONG;
    }
}

static void *retain(object *one) {
#if SPOILT == CRASHES
    *(volatile int *)16 = 0;
#elif SPOILT == HANGS
    for (;;) {
        __asm__ volatile("pause");
    }
#elif SPOILT == FORGETS
    return one;
#endif
    return retain_n(one, 1);
}

static void release(object *one) {
    release_n(one, 1);
}

static void *try_retain(object *one) {
    return (intptr_t)one > 0 ? retain_n(one, 1) : NULL;
}

SHOWN void *(*_swift_retain)(object *) = retain;
SHOWN void (*_swift_release)(object *) = release;
SHOWN void *(*_swift_retain_n)(object *, uint32_t) = retain_n;
SHOWN void (*_swift_release_n)(object *, uint32_t) = release_n;
SHOWN void *(*_swift_tryRetain)(object *) = try_retain;

extern char retain_adapter[] __attribute__((visibility("hidden")));
KEPT void *adapter_of_retain = retain_adapter;

#if SPOILT == TAKEN
__attribute__((constructor)) static void take(void) {
    _swift_release = (void (*)(object *))free;
}
#endif

#define FLAG "_swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly"

#if SPOILT == OTHER_ADAPTER
#define KEPT_IN "%r12"
#else
#define KEPT_IN "%rbx"
#endif

// The names that the library's own code uses are not for others to take first.
__asm__(".set own_flag, " FLAG "\n"
        ".set own_retain, _swift_retain\n"
        ".set own_release, _swift_release\n"
        ".set own_retain_n, _swift_retain_n\n"
        ".set own_release_n, _swift_release_n\n"
        ".set own_try_retain, _swift_tryRetain\n"
        ".text\n"
        ".macro ENTRY name, is_counted=0\n"
        "    .globl \\name\n"
        "    .type \\name, @function\n"
        "\\name:\n"
        "    pushq %rbp\n"
        "    movq %rsp, %rbp\n"
        "    .if \\is_counted\n"
        "    movl %esi, %edx\n"
        "    .endif\n"
        "    movzbl own_flag(%rip), %eax\n"
        "    cmpb $1, %al\n"
        "    je 5f\n"
        ".endm\n"

        "ENTRY swift_retain\n"
        "    popq %rbp\n"
        "    jmp *own_retain(%rip)\n"
        "5:  movq adapter_of_retain(%rip), %rax\n"
        "    popq %rbp\n"
        "    jmp *%rax\n"
        "retain_adapter:\n"
        "    pushq %rbp\n"
        "    movq %rsp, %rbp\n"
        "    pushq " KEPT_IN "\n"
        "    pushq %rax\n"
        "    movq %rdi, " KEPT_IN "\n"
        "    movabsq $0x00fffffffffffff8, %rdi\n"
        "    andq " KEPT_IN ", %rdi\n"
        "    callq *own_retain(%rip)\n"
        "    movq " KEPT_IN ", %rax\n"
        "    addq $8, %rsp\n"
        "    popq " KEPT_IN "\n"
        "    popq %rbp\n"
        "    retq\n"

        "ENTRY swift_release\n"
        "    popq %rbp\n"
        "    jmp *own_release(%rip)\n"
        "5:  popq %rbp\n"
        // The long form, as between sections.
        "    .byte 0xe9\n"
        "    .long release_adapter - . - 4\n"
        "release_adapter:\n"
        "    pushq %rbp\n"
        "    movq %rsp, %rbp\n"
        "    popq %rbp\n"
        "    jmp *own_release(%rip)\n"

        "ENTRY swift_retain_n, 1\n"
        "    popq %rbp\n"
        "    jmp *own_retain_n(%rip)\n"
        "5:  movq own_retain_n(%rip), %rax\n"
        "    movl %edx, %esi\n"
        "    popq %rbp\n"
        "    jmp *%rax\n"

        "ENTRY swift_release_n, 1\n"
        "    popq %rbp\n"
        "    jmp *own_release_n(%rip)\n"
        "5:  movq own_release_n(%rip), %rax\n"
        "    movl %edx, %esi\n"
        "    popq %rbp\n"
        "    jmp *%rax\n"

        ".globl swift_tryRetain\n"
        ".type swift_tryRetain, @function\n"
        "swift_tryRetain:\n"
        "    movzbl own_flag(%rip), %eax\n"
        "    cmpb $1, %al\n"
        "    .byte 0x0f, 0x84\n"
        "    .long 6f - . - 4\n"
        "    jmp *own_try_retain(%rip)\n"
        "6:  jmp *own_try_retain(%rip)\n");
