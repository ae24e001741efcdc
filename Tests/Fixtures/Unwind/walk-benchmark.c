// Prints ns a frame of one walk from a signal's registers: ours with the caches warm and cold,
// without a cache, by windows; libunwind's unw_step; glibc's backtrace().
#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#include <pthread.h>
#include <ucontext.h>
#include <unistd.h>

#include "modules.h"
#include "unwind_modules.h"
#include "workload.h"

enum { FRAME_LIMIT = 512, ROUNDS = 2000, COLD_ROUNDS = 300 };

static uintptr_t stack_high;
static int depth_wanted;
static bool measured;
static uint8_t scratch[8192];
static wick_rule_cache cache;
static uint8_t eviction[32 << 20];

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void evict(void) {
    for (size_t i = 0; i < sizeof eviction; i += 64) {
        eviction[i] += 1;
    }
}

static size_t walk_once(const wick_registers *registers, const wick_stack_memory *memory) {
    uintptr_t frames[FRAME_LIMIT];
    wick_walk walk = wick_unwind(registers, memory, frames, FRAME_LIMIT);
    sink += frames[walk.frame_count - 1];
    return walk.frame_count;
}

static size_t step_once(ucontext_t *context) {
    unw_cursor_t cursor;
    size_t count = 0;
    unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME);
    do {
        unw_word_t pc;
        unw_get_reg(&cursor, UNW_REG_IP, &pc);
        sink += pc;
        count += 1;
    } while (count < FRAME_LIMIT && unw_step(&cursor) > 0);
    return count;
}

static void print(const char *name, double ns, size_t frames, size_t rounds) {
    printf("%-28s %8.1f ns/frame %9.0f ns/walk\n", name, ns / (double)frames,
           ns / (double)rounds);
}

#define MEASURE(name, rounds, before, walk)          \
    do {                                             \
        size_t frames = 0;                           \
        double sum = 0;                              \
        for (size_t i = 0; i < (rounds); i++) {      \
            before;                                  \
            double start = now_ns();                 \
            frames += (walk);                        \
            sum += now_ns() - start;                 \
        }                                            \
        print(name, sum, frames, rounds);            \
    } while (0)

static void on_signal(int number, siginfo_t *info, void *raw) {
    (void)number, (void)info;
    ucontext_t *context = raw;
    wick_registers registers = {(uintptr_t)context->uc_mcontext.gregs[REG_RIP],
                                (uintptr_t)context->uc_mcontext.gregs[REG_RSP],
                                (uintptr_t)context->uc_mcontext.gregs[REG_RBP],
                                (uintptr_t)context->uc_mcontext.gregs[REG_RBX]};
    wick_stack_memory direct = {stack_high, scratch, sizeof scratch, &cache};
    wick_stack_memory uncached = {stack_high, scratch, sizeof scratch, NULL};
    wick_stack_memory windows = {0, scratch, sizeof scratch, &cache};
    if (measured || walk_once(&registers, &direct) < (size_t)depth_wanted) {
        return;
    }
    measured = true;
    printf("%zu frames\n", walk_once(&registers, &direct));
    MEASURE("wick, rules cached", ROUNDS, , walk_once(&registers, &direct));
    MEASURE("wick, rules searched", ROUNDS, , walk_once(&registers, &uncached));
    MEASURE("wick, by windows", ROUNDS, , walk_once(&registers, &windows));
    MEASURE("wick, cached, cold memory", COLD_ROUNDS, evict(), walk_once(&registers, &direct));
    MEASURE("wick, searched, cold memory", COLD_ROUNDS, evict(),
            walk_once(&registers, &uncached));
    MEASURE("libunwind unw_step", ROUNDS / 10, , step_once(context));
    MEASURE("libunwind, cold memory", COLD_ROUNDS / 10, evict(), step_once(context));
    // libunwind's own function of this name is in front of it.
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    int (*trace)(void **, int) = (int (*)(void **, int))dlsym(libc, "backtrace");
    void *traced[FRAME_LIMIT];
    MEASURE("glibc backtrace", ROUNDS / 10, , (size_t)trace(traced, FRAME_LIMIT));
    MEASURE("glibc backtrace, cold memory", COLD_ROUNDS / 10, evict(),
            (size_t)trace(traced, FRAME_LIMIT));
}

/// Interrupts the row callbacks' depths, until one is deep enough.
static void interrupt(sqlite3_context *context, int count, sqlite3_value **values) {
    work_function(context, count, values);
    raise(SIGPROF);
}

int main(void) {
    pthread_attr_t attributes;
    void *low;
    size_t byte_count;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &byte_count);
    stack_high = (uintptr_t)low + byte_count;
    double start = now_ns();
    size_t count = add_modules();
    double built = now_ns() - start;
    const wick_unwind_list *list = wick_unwind_published();
    size_t rows = 0, functions = 0, bytes = 0;
    for (size_t i = 0; i < list->count; i++) {
        const wick_cfi_table *table = list->entries[i].table;
        rows += table ? table->row_count : 0;
        functions += table ? table->fde_count : 0;
        bytes += table ? table->used_byte_count : 0;
    }
    printf("%zu modules, %zu functions, %zu rows, %zu bytes (%.2f a row), built in %.2f ms\n",
           count, functions, rows, bytes, (double)bytes / (double)rows, built / 1e6);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGPROF, &action, NULL);
    sqlite3 *database = work_open();
    sqlite3_create_function(database, "work", 1, SQLITE_UTF8, NULL, interrupt, NULL, NULL);
    depth_wanted = 10;
    work_query(database);
    sqlite3_close(database);
    return measured ? 0 : 1;
}
