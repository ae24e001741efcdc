// Preloaded before libwick.so: stands around the agent's signal handler and counts what a handler must
// not do, in the file that WICK_AUDIT names.
//
//   __sigaction    the agent takes its signals through it: its handler is wrapped here
//   system calls   trap while a tick is handled (Syscall User Dispatch, Linux 5.11): SIGSYS counts
//                  the call and then makes it
//   functions      of malloc, locks and the loader stand here by their names
//
// A signal that is not the agent's goes to the host's own handler, whose business it is: only ticks
// are looked at, by what identifies them.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "report.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif
#ifndef TRAP_PERF
#define TRAP_PERF 6
#endif

enum { CALLS_ALLOWED = 0, CALLS_TRAP = 1, USER_DISPATCH = 2, PAINTED_BYTES = 4096, PAINT = 0xa5 };

static audit_report nowhere;
static audit_report *report = &nowhere;

#define THREAD_LOCAL static _Thread_local __attribute__((tls_model("initial-exec")))

THREAD_LOCAL volatile char selector = CALLS_ALLOWED;
THREAD_LOCAL volatile bool is_handling;
/// Whether a call trapped: then the frame of SIGSYS is on the stack as well.
THREAD_LOCAL volatile bool has_trapped;
/// Whether the signal may be the host's own timer's after all: nothing tells them apart at the moment
/// when the host takes the timer. The agent then hands it on, under the mask that the host asked for.
THREAD_LOCAL volatile bool may_be_handed_on;
/// The process in which this thread's calls are watched: a fork's child is not.
THREAD_LOCAL pid_t watched_in;

static void count(_Atomic uint64_t *counter) {
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

// MARK: functions

typedef enum {
    MALLOC, CALLOC, REALLOC, FREE, ALIGNED_ALLOC, POSIX_MEMALIGN, MEMALIGN, MUTEX_LOCK,
    MUTEX_TRYLOCK, MUTEX_UNLOCK, RDLOCK, WRLOCK, RWUNLOCK, COND_WAIT, COND_TIMEDWAIT, COND_SIGNAL,
    COND_BROADCAST, ONCE, SEM_WAIT, SEM_POST, ITERATE, DLADDR,
} function;

static void note(function which) {
    if (is_handling) {
        count(&report->functions[which]);
    }
}

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

void *malloc(size_t size) {
    note(MALLOC);
    return __libc_malloc(size);
}

void *calloc(size_t members, size_t size) {
    note(CALLOC);
    return __libc_calloc(members, size);
}

void *realloc(void *old, size_t size) {
    note(REALLOC);
    return __libc_realloc(old, size);
}

void free(void *memory) {
    note(FREE);
    __libc_free(memory);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note(ALIGNED_ALLOC);
    return __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size) {
    note(MEMALIGN);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    note(POSIX_MEMALIGN);
    void *found = __libc_memalign(alignment, size);
    if (!found) {
        return ENOMEM;
    }
    *memory = found;
    return 0;
}

/// Stands before a function whose next one the loader knows.
#define WATCH(which, result, name, parameters, arguments)                                          \
    result name parameters {                                                                       \
        static result(*_Atomic next) parameters;                                                   \
        if (!next) {                                                                               \
            next = (result(*) parameters)next_of(#name);                                           \
        }                                                                                          \
        note(which);                                                                               \
        return next arguments;                                                                     \
    }

static void *next_of(const char *name);

WATCH(MUTEX_LOCK, int, pthread_mutex_lock, (pthread_mutex_t * lock), (lock))
WATCH(MUTEX_TRYLOCK, int, pthread_mutex_trylock, (pthread_mutex_t * lock), (lock))
WATCH(MUTEX_UNLOCK, int, pthread_mutex_unlock, (pthread_mutex_t * lock), (lock))
WATCH(RDLOCK, int, pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
WATCH(WRLOCK, int, pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
WATCH(RWUNLOCK, int, pthread_rwlock_unlock, (pthread_rwlock_t * lock), (lock))
WATCH(COND_WAIT, int, pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t *lock),
      (condition, lock))
WATCH(COND_TIMEDWAIT, int, pthread_cond_timedwait,
      (pthread_cond_t * condition, pthread_mutex_t *lock, const struct timespec *until),
      (condition, lock, until))
WATCH(COND_SIGNAL, int, pthread_cond_signal, (pthread_cond_t * condition), (condition))
WATCH(COND_BROADCAST, int, pthread_cond_broadcast, (pthread_cond_t * condition), (condition))
WATCH(ONCE, int, pthread_once, (pthread_once_t * control, void (*routine)(void)), (control, routine))
WATCH(SEM_WAIT, int, sem_wait, (sem_t * semaphore), (semaphore))
WATCH(SEM_POST, int, sem_post, (sem_t * semaphore), (semaphore))
WATCH(ITERATE, int, dl_iterate_phdr,
      (int (*visit)(struct dl_phdr_info *, size_t, void *), void *context), (visit, context))
WATCH(DLADDR, int, dladdr, (const void *address, Dl_info *info), (address, info))

static void *next_of(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

// MARK: system calls

static bool is_permitted(long number, const greg_t *registers) {
    switch (number) {
    case SYS_process_vm_readv:
    case SYS_getpid:
    case SYS_gettid:
    case SYS_clock_gettime: return true;
    case SYS_rt_sigprocmask: return may_be_handed_on;
    // It waits for nobody.
    case SYS_futex: return (registers[REG_RSI] & FUTEX_CMD_MASK) == FUTEX_WAKE;
    default: return false;
    }
}

static long make_call(const greg_t *registers) {
    register long r10 __asm__("r10") = registers[REG_R10];
    register long r8 __asm__("r8") = registers[REG_R8];
    register long r9 __asm__("r9") = registers[REG_R9];
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((long)registers[REG_RAX]), "D"(registers[REG_RDI]),
                       "S"(registers[REG_RSI]), "d"(registers[REG_RDX]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void on_call(int number, siginfo_t *info, void *context) {
    (void)number;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    // Linux hands out a blocked SIGTRAP along with SIGSYS, as both count as raised by the code itself:
    // then it is the entry of `around_handler` that is interrupted, whose third argument is the
    // context of the call.
    if (registers[REG_RIP] != (greg_t)info->si_call_addr) {
        registers = ((ucontext_t *)registers[REG_RDX])->uc_mcontext.gregs;
    }
    selector = CALLS_ALLOWED;
    has_trapped = true;
    long call = info->si_syscall;
    registers[REG_RAX] = call;
    bool permitted = is_permitted(call, registers);
    if (call >= 0 && call < SYSCALL_COUNT) {
        count(permitted ? &report->permitted_calls[call] : &report->forbidden_calls[call]);
    }
    registers[REG_RAX] = make_call(registers);
    selector = CALLS_TRAP;
}

extern int __sigaction(int number, const struct sigaction *action, struct sigaction *old);
typedef int set_action(int number, const struct sigaction *action, struct sigaction *old);
static set_action *real_sigaction;

/// The code by which handlers return: a system call of its own, which must not trap.
static uintptr_t restorer(void) {
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } kernel = {0};
    syscall(SYS_rt_sigaction, SIGSYS, NULL, &kernel, sizeof(kernel.mask));
    return (uintptr_t)kernel.restorer;
}

static void watch_this_thread(void) {
    pid_t pid = getpid();
    if (watched_in == pid) {
        return;
    }
    watched_in = pid;
    if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, restorer(), 16, &selector) != 0) {
        count(&report->unwatched);
    }
}

// MARK: the handler

static void (*handlers[65])(int, siginfo_t *, void *);
/// Whether the agent has the process's own timer, whose signals look like those of a host's.
static bool has_process_timer;

/// Ours by what the kernel says of it: see handler.c of the agent.
static bool is_tick(int number, const siginfo_t *info) {
    if (number == SIGTRAP) {
        uint64_t data;
        memcpy(&data, (const char *)info + 24, sizeof(data));
        return info->si_code == TRAP_PERF && data >> 63;
    }
    switch (info->si_code) {
    case SI_TIMER: return (uintptr_t)info->si_value.sival_ptr >> 63;
    case POLL_IN: return true;
    case SI_KERNEL: return has_process_timer;
    default: return false;
    }
}

/// The part of the stack that the handler is about to use.
__attribute__((noinline)) static void paint(void) {
    volatile char area[PAINTED_BYTES];
    for (size_t i = 0; i < sizeof(area); i++) {
        area[i] = (char)PAINT;
    }
}

__attribute__((noinline)) static uint64_t painted_over(void) {
    volatile char area[PAINTED_BYTES];
    size_t clean = 0;
    // Uninitialized on purpose: what paint() and the handler left.
    while (clean < sizeof(area) && area[clean] == (char)PAINT) {
        clean++;
    }
    return sizeof(area) - clean;
}

static void around_handler(int number, siginfo_t *info, void *context) {
    if (!is_tick(number, info)) {
        handlers[number](number, info, context);
        return;
    }
    // The next tick, which came while a call trapped (see on_call): without the audit it would wait.
    if (is_handling) {
        return;
    }
    int saved = errno;
    // A host that blocks all signals, as crash handlers do, would be killed by a trap. The handler's
    // return sets the mask as it was.
    if (sigismember(&((ucontext_t *)context)->uc_sigmask, SIGSYS)) {
        sigset_t trap;
        sigemptyset(&trap);
        sigaddset(&trap, SIGSYS);
        sigprocmask(SIG_UNBLOCK, &trap, NULL);
    }
    watch_this_thread();
    count(&report->runs);
    paint();
    errno = 4711;
    has_trapped = false;
    may_be_handed_on = info->si_code == SI_KERNEL;
    is_handling = true;
    selector = CALLS_TRAP;
    handlers[number](number, info, context);
    selector = CALLS_ALLOWED;
    is_handling = false;
    if (errno != 4711) {
        count(&report->errno_changes);
    }
    uint64_t used = has_trapped ? 0 : painted_over();
    uint64_t most = atomic_load_explicit(&report->most_stack, memory_order_relaxed);
    while (used > most && !atomic_compare_exchange_weak(&report->most_stack, &most, used)) {
    }
    errno = saved;
}

static bool is_agents(void (*handler)(int, siginfo_t *, void *)) {
    Dl_info info;
    return dladdr((void *)handler, &info) && info.dli_fname && strstr(info.dli_fname, "libwick");
}

int __sigaction(int number, const struct sigaction *action, struct sigaction *old) {
    if (!real_sigaction) {
        real_sigaction = (set_action *)next_of("__sigaction");
    }
    struct sigaction wrapped;
    if (action && number > 0 && number < 65 && action->sa_flags & SA_SIGINFO &&
        is_agents(action->sa_sigaction)) {
        wrapped = *action;
        handlers[number] = action->sa_sigaction;
        wrapped.sa_sigaction = around_handler;
        sigdelset(&wrapped.sa_mask, SIGSYS);
        action = &wrapped;
    }
    int result = real_sigaction(number, action, old);
    if (result == 0 && old && old->sa_flags & SA_SIGINFO && old->sa_sigaction == around_handler) {
        old->sa_sigaction = handlers[number];
    }
    return result;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("WICK_AUDIT");
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (file < 0) {
        return;
    }
    if (ftruncate(file, sizeof(audit_report)) == 0) {
        void *shared =
            mmap(NULL, sizeof(audit_report), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        report = shared == MAP_FAILED ? &nowhere : shared;
    }
    close(file);
    const char *options = getenv("WICK");
    has_process_timer = options && strstr(options, "engine=setitimer");
    struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO};
    sigfillset(&action.sa_mask);
    if (!real_sigaction) {
        real_sigaction = (set_action *)next_of("__sigaction");
    }
    real_sigaction(SIGSYS, &action, NULL);
}
