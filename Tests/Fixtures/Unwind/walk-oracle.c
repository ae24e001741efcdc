// Preloaded into a program: interrupts its main thread some thousand times a second, walks each stack
// with the agent's unwinder and with libunwind, and compares. libunwind takes locks, which is why it
// only ever runs here, on the one thread that is interrupted.
//
// At exit one line of counts goes to the file that WALK_ORACLE names; WALK_ORACLE_US is the period in
// microseconds. If it is 0 nothing is interrupted, and calls are walked from instead, see call-oracle.c.
//
//   samples      walks
//   equal        same frames by both
//   ours         not equal, ours reaches the thread's entry with a call before each return address,
//                and libunwind is shown to be wrong: it has a frame at no code or behind no call,
//                it ended early, or it skipped the caller of a leaf without an unwind rule, where it
//                trusts the frame pointer of that caller (what it has of the rest is the same, but
//                for one frame that hangs on registers of the skipped one)
//   deep         not equal only because ours keeps no more than FRAME_LIMIT frames, so it says
//   both         neither goes on where they part: ours is cut and says so, libunwind's frame is at no
//                code or behind no call (libgcc overwrites its own frames when it enters a handler)
//   cut          ours is cut, and says so, at an instruction of libgcc's that enters a handler, where
//                the stack pointer and the return address are in a register that nobody keeps
//   unexplained  the rest, the first of which are printed to stderr
//   calls        walks from calls; and those that differ
//   complete     ours reached the thread's entry, with a call before each return address
//   truncated    ours was cut, and says why
#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libunwind.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "modules.h"
#include "oracle.h"
#include "registers.h"
#include "unwind_uncovered.h"

enum { FRAME_LIMIT = 512, REFERENCE_LIMIT = 600, PERIOD_US = 397, SHOWN_LIMIT = 4 };

static size_t samples, equal, ours_right, deep, both_lost, cut, unexplained, complete, truncated, fp_steps, shown;
bool armed, walks_from_calls;
size_t call_count, differing_call_count;
uintptr_t stack_low, stack_high;
static wick_rule_cache cache;
static uint8_t scratch[8192];

static uintptr_t address_of(uintptr_t frame) {
    return frame & ~WICK_FRAME_MARK_INTERRUPTED;
}

/// Whether a frame can be one: the interrupted instruction, the trampoline by which a handler
/// returns, or behind a call.
static bool is_plausible(const uintptr_t *frames, size_t count, size_t index) {
    return index == 0 || frames[index] & WICK_FRAME_MARK_INTERRUPTED ||
           (index + 1 < count && frames[index + 1] & WICK_FRAME_MARK_INTERRUPTED) ||
           (wick_may_be_code(frames[index]) && wick_follows_call(frames[index]));
}

static bool all_plausible(const uintptr_t *frames, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!is_plausible(frames, count, i)) {
            return false;
        }
    }
    return true;
}

static size_t reference_walk(ucontext_t *context, uintptr_t *frames) {
    unw_cursor_t cursor;
    size_t count = 0;
    if (unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME) < 0) {
        return 0;
    }
    do {
        unw_word_t pc;
        if (unw_get_reg(&cursor, UNW_REG_IP, &pc) < 0 || pc == 0) {
            break;
        }
        bool interrupted = count > 0 && unw_is_signal_frame(&cursor) > 0;
        // What it took for an address may have our mark's bit: no code has it.
        pc = pc & WICK_FRAME_MARK_INTERRUPTED ? 1 : pc;
        frames[count++] = pc | (interrupted ? WICK_FRAME_MARK_INTERRUPTED : 0);
    } while (count < REFERENCE_LIMIT && unw_step(&cursor) > 0);
    return count;
}

void show(const char *name, const uintptr_t *frames, size_t count) {
    fprintf(stderr, "%s (%zu):", name, count);
    for (size_t i = 0; i < count && i < 60; i++) {
        Dl_info info;
        uintptr_t address = address_of(frames[i]);
        bool known = dladdr((void *)address, &info) && info.dli_sname;
        fprintf(stderr, "\n  %lx%s %s", (unsigned long)address,
                is_plausible(frames, count, i) ? "" : " (no call)", known ? info.dli_sname : "?");
    }
    fprintf(stderr, "\n");
}

/// Whether theirs is ours, or the beginning of it, without the frame at which they part, the caller
/// of the leaf.
static bool has_skipped(const uintptr_t *ours, size_t count, const uintptr_t *theirs,
                        size_t reference, size_t common) {
    return common == 1 && count > reference &&
           memcmp(ours + 2, theirs + 1, (reference - 1) * sizeof(*ours)) == 0;
}

/// Whether theirs is ours without the caller of the leaf and with another one two frames on: that is
/// found by what the skipped frame would have restored.
static bool has_skipped_and_slipped(const uintptr_t *ours, size_t count, const uintptr_t *theirs,
                                    size_t reference, size_t common) {
    return common == 1 && count == reference + 1 && reference > 4 && ours[2] == theirs[1] &&
           memcmp(ours + 4, theirs + 3, (reference - 3) * sizeof(*ours)) == 0;
}

static bool is_in_libgcc(uintptr_t address) {
    Dl_info info;
    return dladdr((void *)address, &info) && info.dli_fname && strstr(info.dli_fname, "libgcc_s");
}

static void compare(ucontext_t *context) {
    static uintptr_t ours[FRAME_LIMIT], theirs[REFERENCE_LIMIT];
    wick_registers registers = registers_of(context);
    bool own_stack = registers.sp >= stack_low && registers.sp < stack_high;
    wick_stack_memory memory = {.high = own_stack ? stack_high : 0,
                                .scratch = scratch,
                                .scratch_byte_count = sizeof(scratch),
                                .cache = &cache};
    wick_walk walk = wick_unwind(&registers, &memory, ours, FRAME_LIMIT);
    size_t reference = reference_walk(context, theirs);
    size_t count = walk.frame_count;
    size_t common = 0;
    while (common < count && common < reference && ours[common] == theirs[common]) {
        common++;
    }
    bool is_complete = walk.truncation == 0 && all_plausible(ours, count);
    samples++;
    complete += is_complete;
    truncated += walk.truncation != 0;
    fp_steps += walk.frame_pointer_steps;
    if (common == count && common == reference) {
        equal++;
    } else if (common == count && walk.truncation == WICK_TRUNCATED_DEPTH) {
        deep++;
    } else if (is_complete && (common == reference || !all_plausible(theirs, reference) ||
                               has_skipped(ours, count, theirs, reference, common) ||
                               has_skipped_and_slipped(ours, count, theirs, reference, common))) {
        ours_right++;
    } else if (walk.truncation != 0 && common == count && !is_plausible(theirs, reference, common)) {
        both_lost++;
    } else if (walk.truncation == WICK_TRUNCATED_NO_RULE && common == count && count == 1 &&
               is_in_libgcc(ours[0])) {
        cut++;
    } else {
        unexplained++;
        if (shown++ < SHOWN_LIMIT) {
            fprintf(stderr, "truncation %u, %zu frames in common\n", walk.truncation, common);
            show("ours", ours, count);
            show("theirs", theirs, reference);
        }
    }
}

static void on_tick(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    int saved = errno;
    if (armed) {
        compare(context);
    }
    errno = saved;
}

// MARK: libraries that come later

/// Builds anew what is loaded: the main thread is not interrupted meanwhile.
static void refresh(void) {
    bool was_armed = armed;
    armed = false;
    add_modules();
    armed = was_armed;
}

void *dlopen(const char *path, int mode) {
    static void *(*real)(const char *, int);
    if (!real) {
        real = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
    }
    void *library = real(path, mode);
    refresh();
    return library;
}

// MARK: life

static void find_stack(void) {
    // The main thread's: from the arguments down, as far as it may grow.
    extern void *__libc_stack_end;
    struct rlimit limit;
    uintptr_t low, high;
    char line[256];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof(line), maps)) {
        char *next;
        low = strtoull(line, &next, 16);
        high = strtoull(next + 1, NULL, 16);
        if (low <= (uintptr_t)__libc_stack_end && (uintptr_t)__libc_stack_end < high) {
            getrlimit(RLIMIT_STACK, &limit);
            stack_high = high;
            stack_low = high - (limit.rlim_cur < (64u << 20) ? limit.rlim_cur : (8u << 20));
        }
    }
    if (maps) {
        fclose(maps);
    }
}

__attribute__((constructor)) static void begin(void) {
    if (!getenv("WALK_ORACLE")) {
        return;
    }
    find_stack();
    add_modules();
    const char *period = getenv("WALK_ORACLE_US");
    armed = walks_from_calls = period && atol(period) == 0;
    if (walks_from_calls) {
        return;
    }
    // What libunwind would otherwise look for, and allocate, within the handler.
    unw_context_t here;
    unw_cursor_t cursor;
    unw_getcontext(&here);
    unw_init_local(&cursor, &here);
    while (unw_step(&cursor) > 0) {
    }
    struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&action.sa_mask);
    sigaction(SIGPROF, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    timer_t timer;
    long period_ns = 1000 * (period ? atol(period) : PERIOD_US);
    struct itimerspec every = {{0, period_ns}, {0, period_ns}};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) {
        armed = true;
        timer_settime(timer, 0, &every, NULL);
    }
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("WALK_ORACLE");
    if (!path || !armed) {
        return;
    }
    armed = false;
    FILE *file = fopen(path, "w");
    if (file) {
        fprintf(file,
                "samples %zu equal %zu ours %zu deep %zu both %zu cut %zu unexplained %zu complete %zu truncated %zu "
                "frame-pointer-steps %zu calls %zu differing %zu\n",
                samples, equal, ours_right, deep, both_lost, cut, unexplained, complete, truncated,
                fp_steps, call_count, differing_call_count);
        fclose(file);
    }
}
