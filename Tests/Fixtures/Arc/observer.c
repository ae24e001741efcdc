// The agent's ARC hooks under an observer that counts by type and checks what it is shown.
#include "observer.h"

#include <execinfo.h>
#include <stddef.h>
#include <time.h>

#include "../Unwind/modules.h"
#include "arc_hooks.h"

extern void *swift_retain(void *object);
extern void swift_release(void *object);
extern void *swift_retain_n(void *object, uint32_t count);
extern void swift_release_n(void *object, uint32_t count);
extern void *swift_tryRetain(void *object);
extern size_t swift_retainCount(void *object);

// MARK: counts

enum : size_t { TYPE_LIMIT = 4096, FRAME_LIMIT = 64 };

static struct {
    const void *type;
    uint64_t retains, releases;
} types[TYPE_LIMIT];

static size_t slot_of(const void *type) {
    size_t slot = ((uintptr_t)type >> 3) % TYPE_LIMIT;
    for (;; slot = (slot + 1) % TYPE_LIMIT) {
        const void *there = __atomic_load_n(&types[slot].type, __ATOMIC_RELAXED);
        if (there == type) {
            return slot;
        }
        if (!there && __atomic_compare_exchange_n(&types[slot].type, &there, type, false,
                                                  __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            return slot;
        }
        if (there == type) {
            return slot;
        }
    }
}

uint64_t arc_retains(const void *type) {
    return __atomic_load_n(&types[slot_of(type)].retains, __ATOMIC_RELAXED);
}

uint64_t arc_releases(const void *type) {
    return __atomic_load_n(&types[slot_of(type)].releases, __ATOMIC_RELAXED);
}

// MARK: stacks

static bool is_comparing;
static uint64_t stacks, wrong_stacks, wrong_registers;

/// The platform's unwinder comes from here through the thunk, ours starts at the caller: from there
/// on both must find the same.
static void compare(const wick_registers *registers) {
    void *theirs[FRAME_LIMIT];
    size_t count = (size_t)backtrace(theirs, FRAME_LIMIT), first = 0;
    while (first < count && (uintptr_t)theirs[first] != registers->pc) {
        first += 1;
    }
    uintptr_t ours[FRAME_LIMIT];
    static uint8_t scratch[4096];
    wick_stack_memory memory = {.scratch = scratch, .scratch_byte_count = sizeof(scratch)};
    wick_walk walk = wick_unwind(registers, &memory, ours, FRAME_LIMIT);
    size_t same = 0;
    while (same < walk.frame_count && first + same < count &&
           (uintptr_t)theirs[first + same] == ours[same]) {
        same += 1;
    }
    stacks += 1;
    wrong_stacks += same < 3 || same != walk.frame_count || first + same != count;
}

static void observe(bool is_retain, uint32_t count, const void *object,
                    const wick_registers *registers) {
    size_t slot = slot_of(*(const void *const *)object);
    __atomic_fetch_add(is_retain ? &types[slot].retains : &types[slot].releases, count,
                       __ATOMIC_RELAXED);
    // A call left its return address below the stack that it returns with.
    if (*(const uintptr_t *)(registers->sp - sizeof(uintptr_t)) != registers->pc) {
        __atomic_fetch_add(&wrong_registers, 1, __ATOMIC_RELAXED);
    }
    if (is_comparing) {
        compare(registers);
    }
}

static void idle(bool is_retain, uint32_t count, const void *object,
                 const wick_registers *registers) {
    (void)is_retain;
    (void)count;
    (void)object;
    (void)registers;
}

int arc_begin(void) {
    return wick_arc_begin(observe);
}

int arc_begin_idle(void) {
    return wick_arc_begin(idle);
}

void arc_end(void) {
    wick_arc_end();
}

void arc_compare_stacks(bool compare) {
    if (compare && stacks == 0) {
        add_modules();
    }
    is_comparing = compare;
}

uint64_t arc_stacks(void) {
    return stacks;
}

uint64_t arc_wrong_stacks(void) {
    return wrong_stacks;
}

uint64_t arc_wrong_registers(void) {
    return __atomic_load_n(&wrong_registers, __ATOMIC_RELAXED);
}

// MARK: work

uint64_t arc_exercise(void *object, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        swift_retain(object);
    }
    swift_retain_n(object, 3);
    uint64_t tried = swift_tryRetain(object) == object;
    if (tried) {
        swift_release(object);
    }
    swift_release_n(object, 3);
    for (uint32_t i = 0; i < count; i++) {
        swift_release(object);
    }
    return count + 3 + tried;
}

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double arc_pair_ns(void *object, uint32_t count) {
    double start = now_ns();
    for (uint32_t i = 0; i < count; i++) {
        swift_retain(object);
        swift_release(object);
    }
    return (now_ns() - start) / count;
}

uint64_t arc_reference_count(void *object) {
    return swift_retainCount(object);
}
