// See arc_hooks.h. HOOK-SAFE from the thunks on: no libc call, no lock, no allocation.
//
//   swift_retain ─ flag 1 ─► adapter ─► *_swift_retain = thunk ─► observer
//        │ flag 0                                          └────► runtime's own, by a jump
//        ▼
//   runtime's own
//
// Once installed, the thunks stay: a thread may be before one at any time. Only the flag is
// switched.
#include "arc_hooks.h"

#include "arc_runtime.h"

#if defined(__x86_64__)

#include <stddef.h>

#include "arc_trial.h"

#define SEEN_BY_THUNKS __attribute__((used, visibility("hidden")))

/// NULL: nobody. Written with release; partner: the acquire in wick_arc_seen.
SEEN_BY_THUNKS wick_arc_observer *wick_arc_observer_now;
/// The runtime's own functions.
SEEN_BY_THUNKS uintptr_t wick_arc_originals[WICK_ARC_CALL_COUNT];
SEEN_BY_THUNKS uintptr_t wick_arc_adapter_return;

/// Whether this thread is in the observer: a signal's handler may take references there.
static _Thread_local volatile bool is_observing __attribute__((tls_model("initial-exec")));
static uint64_t lost_count;

SEEN_BY_THUNKS void wick_arc_seen(const void *object, uint32_t count,
                                  const wick_registers *registers, bool is_retain) {
    wick_arc_observer *observer = __atomic_load_n(&wick_arc_observer_now, __ATOMIC_ACQUIRE);
    if (!observer || count == 0) {
        return;
    }
    if (is_observing) {
        __atomic_fetch_add(&lost_count, count, __ATOMIC_RELAXED);
        return;
    }
    is_observing = true;
    observer(is_retain, count, object, registers);
    is_observing = false;
}

// MARK: thunks

_Static_assert(sizeof(wick_registers) == 40 && offsetof(wick_registers, pc) == 0 &&
                   offsetof(wick_registers, sp) == 8 && offsetof(wick_registers, fp) == 16 &&
                   offsetof(wick_registers, base) == 24 && offsetof(wick_registers, context) == 32,
               "the thunks build it");
_Static_assert(WICK_ARC_RETAIN == 0 && WICK_ARC_RELEASE == 1 && WICK_ARC_RETAIN_N == 2 &&
                   WICK_ARC_RELEASE_N == 3 && WICK_ARC_TRY_RETAIN == 4,
               "the thunks know the originals by number");

// The runtime's functions promise what the C ABI does, and no more: on x86_64 their own fast paths
// already change registers that "preserve most" would keep. So do the thunks. They leave by a jump:
// a release may run a chain of deinits, each of which would otherwise keep a frame of ours.
//
//   at entry        0(%rsp) return address of who called swift_release (or _n, tryRetain),
//                   as the runtime gets here by jumps
//   of retain       0(%rsp) into the adapter, whose frame is: 8 nothing, 16 %rbx, 24 %rbp,
//                   32 return address of who called swift_retain. %rbx holds the word that it was
//                   called with, %rdi the same without the bits that are no address.
//
// That masking takes the sign of a small string's word away, and the runtime's own function would
// take its bytes for an object: so values that are none go back from here.
__asm__(".text\n"
        // Room for wick_registers, %rdi and %rsi, on a stack that is aligned after it.
        ".macro WICK_ARC_ROOM\n"
        "    subq $56, %rsp\n"
        "    .cfi_adjust_cfa_offset 56\n"
        "    movq %rdi, 40(%rsp)\n"
        "    movq %rsi, 48(%rsp)\n"
        ".endm\n"
        // The caller's registers, of a hook that was jumped to.
        ".macro WICK_ARC_CALLER\n"
        "    movq 56(%rsp), %rax\n"
        "    movq %rax, (%rsp)\n"
        "    leaq 64(%rsp), %rax\n"
        "    movq %rax, 8(%rsp)\n"
        "    movq %rbp, 16(%rsp)\n"
        "    movq %rbx, 24(%rsp)\n"
        "    movq %r14, 32(%rsp)\n"
        ".endm\n"
        // Observes, with the count in %rsi, and goes on to the runtime's own function.
        ".macro WICK_ARC_GO_ON number, is_retain\n"
        "    movq %rsp, %rdx\n"
        "    movl $\\is_retain, %ecx\n"
        "    call wick_arc_seen\n"
        "    movq 40(%rsp), %rdi\n"
        "    movq 48(%rsp), %rsi\n"
        "    addq $56, %rsp\n"
        "    .cfi_adjust_cfa_offset -56\n"
        "    jmp *(wick_arc_originals + 8 * \\number)(%rip)\n"
        ".endm\n"
        // Out, to the runtime's own function (8:), if nobody observes, or it is no object.
        ".macro WICK_ARC_CHECK\n"
        "    testq %rdi, %rdi\n"
        "    jle 8f\n"
        "    cmpq $0, wick_arc_observer_now(%rip)\n"
        "    je 8f\n"
        ".endm\n"
        ".macro WICK_ARC_BEGIN name\n"
        "    .p2align 4\n"
        "    .hidden \\name\n"
        "    .globl \\name\n"
        "    .type \\name, @function\n"
        "\\name:\n"
        "    .cfi_startproc\n"
        ".endm\n"
        ".macro WICK_ARC_END name, number\n"
        "8:  jmp *(wick_arc_originals + 8 * \\number)(%rip)\n"
        "    .cfi_endproc\n"
        "    .size \\name, . - \\name\n"
        ".endm\n"

        "WICK_ARC_BEGIN wick_arc_retain_thunk\n"
        "    movq wick_arc_adapter_return(%rip), %rax\n"
        "    cmpq (%rsp), %rax\n"
        "    jne 2f\n"
        "    testq %rbx, %rbx\n"
        "    jle 1f\n"
        "    WICK_ARC_CHECK\n"
        "    WICK_ARC_ROOM\n"
        "    movq 88(%rsp), %rax\n"
        "    movq %rax, (%rsp)\n"
        "    leaq 96(%rsp), %rax\n"
        "    movq %rax, 8(%rsp)\n"
        "    movq 80(%rsp), %rax\n"
        "    movq %rax, 16(%rsp)\n"
        "    movq 72(%rsp), %rax\n"
        "    movq %rax, 24(%rsp)\n"
        "    movq %r14, 32(%rsp)\n"
        "    movl $1, %esi\n"
        "    WICK_ARC_GO_ON 0, 1\n"
        "1:  movq %rdi, %rax\n"
        "    ret\n"
        // Called by somebody who is not the adapter.
        "2:  WICK_ARC_CHECK\n"
        "    WICK_ARC_ROOM\n"
        "    WICK_ARC_CALLER\n"
        "    movl $1, %esi\n"
        "    WICK_ARC_GO_ON 0, 1\n"
        "WICK_ARC_END wick_arc_retain_thunk, 0\n"

        "WICK_ARC_BEGIN wick_arc_release_thunk\n"
        "    WICK_ARC_CHECK\n"
        "    WICK_ARC_ROOM\n"
        "    WICK_ARC_CALLER\n"
        "    movl $1, %esi\n"
        "    WICK_ARC_GO_ON 1, 0\n"
        "WICK_ARC_END wick_arc_release_thunk, 1\n"

        "WICK_ARC_BEGIN wick_arc_retain_n_thunk\n"
        "    WICK_ARC_CHECK\n"
        "    WICK_ARC_ROOM\n"
        "    WICK_ARC_CALLER\n"
        "    WICK_ARC_GO_ON 2, 1\n"
        "WICK_ARC_END wick_arc_retain_n_thunk, 2\n"

        "WICK_ARC_BEGIN wick_arc_release_n_thunk\n"
        "    WICK_ARC_CHECK\n"
        "    WICK_ARC_ROOM\n"
        "    WICK_ARC_CALLER\n"
        "    WICK_ARC_GO_ON 3, 0\n"
        "WICK_ARC_END wick_arc_release_n_thunk, 3\n"

        // Whether a reference was taken is known after the call, which runs no code of the host.
        "WICK_ARC_BEGIN wick_arc_try_retain_thunk\n"
        "    WICK_ARC_CHECK\n"
        "    WICK_ARC_ROOM\n"
        "    call *(wick_arc_originals + 8 * 4)(%rip)\n"
        "    movq %rax, 40(%rsp)\n"
        "    testq %rax, %rax\n"
        "    jz 1f\n"
        "    WICK_ARC_CALLER\n"
        "    movq 40(%rsp), %rdi\n"
        "    movl $1, %esi\n"
        "    movq %rsp, %rdx\n"
        "    movl $1, %ecx\n"
        "    call wick_arc_seen\n"
        "1:  movq 40(%rsp), %rax\n"
        "    addq $56, %rsp\n"
        "    .cfi_adjust_cfa_offset -56\n"
        "    ret\n"
        "WICK_ARC_END wick_arc_try_retain_thunk, 4\n");

#define HIDDEN __attribute__((visibility("hidden")))
extern const char wick_arc_retain_thunk[] HIDDEN, wick_arc_release_thunk[] HIDDEN,
    wick_arc_retain_n_thunk[] HIDDEN, wick_arc_release_n_thunk[] HIDDEN,
    wick_arc_try_retain_thunk[] HIDDEN;

static const char *const thunks[WICK_ARC_CALL_COUNT] = {
    [WICK_ARC_RETAIN] = wick_arc_retain_thunk,
    [WICK_ARC_RELEASE] = wick_arc_release_thunk,
    [WICK_ARC_RETAIN_N] = wick_arc_retain_n_thunk,
    [WICK_ARC_RELEASE_N] = wick_arc_release_n_thunk,
    [WICK_ARC_TRY_RETAIN] = wick_arc_try_retain_thunk,
};

// MARK: begin and end

/// Its flag is NULL until the thunks are in place.
static wick_arc_runtime runtime;

static void install(const wick_arc_runtime *found) {
    wick_arc_adapter_return = found->adapter_return;
    for (wick_arc_call call = 0; call < WICK_ARC_CALL_COUNT; call++) {
        wick_arc_originals[call] = __atomic_load_n(found->places[call], __ATOMIC_RELAXED);
        // Release: who comes to the thunk has the original. Partner: the runtime's load, which on
        // x86_64 is an acquire.
        __atomic_store_n(found->places[call], (uintptr_t)thunks[call], __ATOMIC_RELEASE);
    }
    runtime = *found;
}

static void observe_with(wick_arc_observer *observer) {
    __atomic_store_n(&wick_arc_observer_now, observer, __ATOMIC_RELEASE);
    __atomic_store_n(runtime.flag, 1, __ATOMIC_RELEASE);
}

wick_arc_state wick_arc_begin(wick_arc_observer *observer) {
    if (!runtime.flag) {
        wick_arc_runtime found;
        wick_arc_state state = wick_arc_find_runtime(&found);
        if (state != WICK_ARC_ON) {
            return state;
        }
        if (!wick_arc_try(&found, install, observe_with)) {
            return WICK_ARC_TRIAL_FAILED;
        }
        install(&found);
    }
    observe_with(observer);
    return WICK_ARC_ON;
}

void wick_arc_end(void) {
    if (runtime.flag) {
        __atomic_store_n(&wick_arc_observer_now, NULL, __ATOMIC_RELEASE);
        __atomic_store_n(runtime.flag, 0, __ATOMIC_RELEASE);
    }
}

uint64_t wick_arc_lost_count(void) {
    return __atomic_load_n(&lost_count, __ATOMIC_RELAXED);
}

#else

wick_arc_state wick_arc_begin(wick_arc_observer *observer) {
    (void)observer;
    return WICK_ARC_UNSUPPORTED;
}

void wick_arc_end(void) {
}

uint64_t wick_arc_lost_count(void) {
    return 0;
}

#endif
