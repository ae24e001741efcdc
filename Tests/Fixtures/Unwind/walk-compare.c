// Samples itself and compares each walk with libunwind's of the same registers.
//
//   walk-compare sample SECONDS    by a timer at 3 kHz, on the main and on another thread
//   walk-compare step COUNT        after each single instruction
//
// Prints one line of counts; exits 1 if one walk differed, was cut short, or depended on how it
// was made (cache or none, direct reads or windows).
#define UNW_LOCAL_ONLY
#include <errno.h>
#include <libunwind.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "modules.h"
#include "registers.h"
#include "workload.h"

enum { FRAME_LIMIT = 512 };

/// A thread that samples itself; the handler writes only to its own.
typedef struct {
    uintptr_t high, entry;
    uint8_t scratch[4096];
    wick_rule_cache cache;
    size_t samples, frames, equal, complete, same_every_way, frame_pointer_steps, longest;
    size_t shown, steps_left;
    bool armed;
} sampled_thread;

static _Thread_local sampled_thread *self __attribute__((tls_model("initial-exec")));

static bool equal_walks(const uintptr_t *a, size_t a_count, const uintptr_t *b, size_t b_count) {
    return a_count == b_count && memcmp(a, b, a_count * sizeof *a) == 0;
}

/// libunwind's walk, with a frame that a signal interrupted marked as ours has it.
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
        // True of the frame that the trampoline led to.
        bool interrupted = count > 0 && unw_is_signal_frame(&cursor) > 0;
        frames[count] = pc | (interrupted ? WICK_FRAME_MARK_INTERRUPTED : 0);
        count += 1;
    } while (count < FRAME_LIMIT && unw_step(&cursor) > 0);
    return count;
}

static void show(const char *name, const uintptr_t *frames, size_t count) {
    fprintf(stderr, "%s", name);
    for (size_t i = 0; i < count; i++) {
        fprintf(stderr, " %lx", (unsigned long)frames[i]);
    }
    fprintf(stderr, "\n");
}

static void compare(sampled_thread *thread, ucontext_t *context) {
    uintptr_t ours[FRAME_LIMIT], other[FRAME_LIMIT], theirs[FRAME_LIMIT];
    wick_registers registers = registers_of(context);
    uint8_t *stack = (uint8_t *)&registers;
    bool own_stack = registers.sp > (uintptr_t)stack - (1 << 20) && registers.sp < thread->high;
    wick_stack_memory memory = {.high = own_stack ? thread->high : 0,
                                .scratch = thread->scratch,
                                .scratch_byte_count = sizeof thread->scratch,
                                .cache = &thread->cache};
    wick_walk walk = wick_unwind(&registers, &memory, ours, FRAME_LIMIT);
    memory.cache = NULL;
    wick_walk uncached = wick_unwind(&registers, &memory, other, FRAME_LIMIT);
    bool same = equal_walks(ours, walk.frame_count, other, uncached.frame_count);
    memory.high = 0;
    wick_walk windowed = wick_unwind(&registers, &memory, other, FRAME_LIMIT);
    same = same && equal_walks(ours, walk.frame_count, other, windowed.frame_count) &&
           walk.truncation == windowed.truncation;
    size_t reference = reference_walk(context, theirs);

    bool equal = equal_walks(ours, walk.frame_count, theirs, reference);
    bool complete = walk.truncation == 0 && ours[walk.frame_count - 1] == thread->entry;
    thread->samples += 1;
    thread->frames += walk.frame_count;
    thread->equal += equal;
    thread->complete += complete;
    thread->same_every_way += same;
    thread->frame_pointer_steps += walk.frame_pointer_steps;
    thread->longest = walk.frame_count > thread->longest ? walk.frame_count : thread->longest;
    if ((!equal || !complete || !same) && thread->shown < 3) {
        thread->shown += 1;
        fprintf(stderr, "equal %d complete %d same %d truncation %u\n", equal, complete, same,
                walk.truncation);
        show("ours", ours, walk.frame_count);
        show("theirs", theirs, reference);
    }
}

enum : long long { TRAP_FLAG = 0x100 };

static void on_signal(int number, siginfo_t *info, void *raw) {
    (void)info;
    ucontext_t *context = raw;
    int saved = errno;
    sampled_thread *thread = self;
    if (!thread || !thread->armed) {
        context->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    } else {
        compare(thread, context);
        if (number == SIGTRAP && --thread->steps_left == 0) {
            thread->armed = false;
            context->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
        }
    }
    errno = saved;
}

/// Notes the stack's bound and the outermost frame, from a place where nothing is hard.
__attribute__((noinline)) static void prepare(sampled_thread *thread) {
    pthread_attr_t attributes;
    void *low;
    size_t byte_count;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &byte_count);
    pthread_attr_destroy(&attributes);
    thread->high = (uintptr_t)low + byte_count;
    unw_context_t context;
    unw_cursor_t cursor;
    unw_getcontext(&context);
    unw_init_local(&cursor, &context);
    unw_word_t pc = 0;
    do {
        if (unw_get_reg(&cursor, UNW_REG_IP, &pc) < 0 || pc == 0) {
            break;
        }
        thread->entry = pc;
    } while (unw_step(&cursor) > 0);
    self = thread;
    work_signal_prepare();
}

static void sample_for(sampled_thread *thread, double seconds) {
    sqlite3 *database = work_open();
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    timer_t timer;
    struct itimerspec every = {{0, 333000}, {0, 333000}};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        perror("timer_create");
        exit(2);
    }
    thread->armed = true;
    timer_settime(timer, 0, &every, NULL);
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        work_round(database);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 <
             seconds);
    timer_delete(timer);
    thread->armed = false;
    sqlite3_close(database);
}

static double seconds;

static void *second_thread(void *context) {
    prepare(context);
    sample_for(context, seconds);
    return NULL;
}

/// Sets the processor's trap flag: a signal after each instruction from here on.
__attribute__((noinline)) static void step_for(sampled_thread *thread, size_t count) {
    sqlite3 *database = work_open();
    thread->steps_left = count;
    thread->armed = true;
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
    while (thread->armed) {
        work_round(database);
    }
    sqlite3_close(database);
}

int main(int count, char **arguments) {
    static sampled_thread threads[2];
    if (count != 3) {
        fprintf(stderr, "walk-compare sample SECONDS | step COUNT\n");
        return 2;
    }
    size_t modules = add_modules();
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&action.sa_mask);
    sigaction(SIGPROF, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
    prepare(&threads[0]);
    if (strcmp(arguments[1], "step") == 0) {
        step_for(&threads[0], strtoul(arguments[2], NULL, 10));
    } else {
        seconds = strtod(arguments[2], NULL);
        pthread_t other;
        pthread_create(&other, NULL, second_thread, &threads[1]);
        sample_for(&threads[0], seconds);
        pthread_join(other, NULL);
    }
    sampled_thread sum = threads[0];
    sum.samples += threads[1].samples;
    sum.frames += threads[1].frames;
    sum.equal += threads[1].equal;
    sum.complete += threads[1].complete;
    sum.same_every_way += threads[1].same_every_way;
    sum.frame_pointer_steps += threads[1].frame_pointer_steps;
    printf("modules %zu samples %zu frames %zu longest %zu equal %zu complete %zu same %zu "
           "frame-pointer-steps %zu second-thread %zu\n",
           modules, sum.samples, sum.frames, sum.longest, sum.equal, sum.complete,
           sum.same_every_way, sum.frame_pointer_steps, threads[1].samples);
    return sum.equal == sum.samples && sum.complete == sum.samples &&
                   sum.same_every_way == sum.samples
               ? 0
               : 1;
}
