// The unwinder beside libunwind's unw_step and glibc's backtrace(), on one kind of stack in one run.
#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <errno.h>
#include <libunwind.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "modules.h"
#include "registers.h"
#include "unwind_modules.h"
#include "wick_benchmark.h"
#include "workload.h"

enum { FRAME_LIMIT = 512, PERIOD_NS = 1000000, WARM_EVERY = 8, DEPTH = 24 };

static uintptr_t stack_low, stack_high;
static uint8_t scratch[8192];
static wick_rule_cache cache;
static wick_unwinder_costs costs;
static bool armed;
static uint64_t ticks;

// libunwind is loaded here, not linked: it has a backtrace() of its own, which would stand before
// glibc's. These are the names behind its macros.
static int (*init_local)(unw_cursor_t *, unw_context_t *, int);
static int (*get_reg)(unw_cursor_t *, int, unw_word_t *);
static int (*step)(unw_cursor_t *);
static int (*trace)(void **, int);

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static size_t walk_by_wick(ucontext_t *context) {
    wick_registers registers = registers_of(context);
    bool own_stack = registers.sp >= stack_low && registers.sp < stack_high;
    wick_stack_memory memory = {.high = own_stack ? stack_high : 0,
                                .scratch = scratch,
                                .scratch_byte_count = sizeof(scratch),
                                .cache = &cache};
    uintptr_t frames[FRAME_LIMIT];
    wick_walk walk = wick_unwind(&registers, &memory, frames, FRAME_LIMIT);
    costs.truncated += walk.truncation != 0;
    sink += frames[walk.frame_count - 1];
    return walk.frame_count;
}

static size_t walk_by_steps(ucontext_t *context) {
    unw_cursor_t cursor;
    size_t count = 0;
    init_local(&cursor, context, UNW_INIT_SIGNAL_FRAME);
    do {
        unw_word_t pc;
        get_reg(&cursor, UNW_REG_IP, &pc);
        sink += pc;
        count += 1;
    } while (count < FRAME_LIMIT && step(&cursor) > 0);
    return count;
}

static size_t walk_by_backtrace(ucontext_t *context) {
    (void)context;
    void *frames[FRAME_LIMIT];
    return (size_t)trace(frames, FRAME_LIMIT);
}

static void measure(size_t (*walk)(ucontext_t *), ucontext_t *context, double *ns,
                    uint64_t *frames, uint64_t *walks) {
    double start = now_ns();
    size_t count = walk(context);
    *ns += now_ns() - start;
    *frames += count;
    *walks += 1;
}

static void on_tick(int number, siginfo_t *info, void *raw) {
    (void)number;
    (void)info;
    static size_t (*const walks[])(ucontext_t *) = {walk_by_wick, walk_by_steps,
                                                    walk_by_backtrace};
    static wick_unwinder_cost *const results[] = {&costs.wick, &costs.unw_step, &costs.backtrace};
    int saved = errno;
    ucontext_t *context = raw;
    if (armed) {
        uint64_t turn = ticks++ % 3;
        wick_unwinder_cost *cold = results[turn];
        measure(walks[turn], context, &cold->cold_ns, &cold->cold_frames, &cold->cold_walks);
        for (size_t i = 0; ticks % WARM_EVERY == 0 && i < 3; i++) {
            walks[i](context);
            measure(walks[i], context, &results[i]->warm_ns, &results[i]->warm_frames,
                    &results[i]->warm_walks);
        }
    }
    errno = saved;
}

static const char *load_peers(void) {
    void *libunwind = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    if (!libunwind || !libc) {
        return "libunwind.so.8 is not installed";
    }
    init_local = (int (*)(unw_cursor_t *, unw_context_t *, int))dlsym(libunwind,
                                                                      "_ULx86_64_init_local2");
    get_reg = (int (*)(unw_cursor_t *, int, unw_word_t *))dlsym(libunwind, "_ULx86_64_get_reg");
    step = (int (*)(unw_cursor_t *))dlsym(libunwind, "_ULx86_64_step");
    trace = (int (*)(void **, int))dlsym(libc, "backtrace");
    return init_local && get_reg && step && trace ? NULL : "libunwind.so.8 is another version";
}

/// A query whose function sorts, under a stack as deep as a server's.
__attribute__((noinline)) static uint64_t work_below(unsigned depth, sqlite3 *database) {
    if (depth > 0) {
        return work_below(depth - 1, database) + work_aligned(depth % 3);
    }
    work_query(database);
    return sink;
}

static void work_for(double seconds) {
    sqlite3 *database = work_open();
    double end = now_ns() + seconds * 1e9;
    while (now_ns() < end) {
        sink += work_below(DEPTH, database);
    }
    sqlite3_close(database);
}

wick_unwinder_costs wick_measure_unwinders(double seconds) {
    costs = (wick_unwinder_costs){.failure = load_peers()};
    if (costs.failure) {
        return costs;
    }
    pthread_attr_t attributes;
    void *low;
    size_t byte_count;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &byte_count);
    pthread_attr_destroy(&attributes);
    stack_low = (uintptr_t)low;
    stack_high = (uintptr_t)low + byte_count;
    add_modules();
    struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigaction before;
    sigfillset(&action.sa_mask);
    sigaction(SIGPROF, &action, &before);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    timer_t timer;
    struct itimerspec every = {{0, PERIOD_NS}, {0, PERIOD_NS}};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        costs.failure = "no timer to be had";
        return costs;
    }
    armed = true;
    timer_settime(timer, 0, &every, NULL);
    work_for(seconds);
    timer_delete(timer);
    armed = false;
    sigaction(SIGPROF, &before, NULL);
    return costs;
}

wick_table_cost wick_measure_tables(void) {
    double start = now_ns();
    wick_table_cost cost = {.module_count = add_modules()};
    cost.build_ns = now_ns() - start;
    const wick_unwind_list *list = wick_unwind_published();
    for (size_t i = 0; i < list->count; i++) {
        const wick_cfi_table *table = list->entries[i].table;
        cost.row_count += table ? table->row_count : 0;
        cost.function_count += table ? table->fde_count : 0;
        cost.byte_count += table ? table->used_byte_count : 0;
    }
    return cost;
}
