// A host with habits that hooks of malloc could disturb. Prints "ok MODE" for each mode whose
// results are as they must be, with hooks and without; ends with 1 at the first that are not.
//
//   hostile [wait] MODE…
//
// `signals` may only be asked of a host whose allocator may be called in handlers (bump.c).
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char *early;
static char **all_words;

static void give_up(const char *what, long found) {
    dprintf(STDOUT_FILENO, "FAILED: %s: %ld (errno %d)\n", what, found, errno);
    _exit(1);
}

#define EXPECT(condition, found)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            give_up(#condition, (long)(found));                                                    \
        }                                                                                          \
    } while (0)

// Compilers know what these do with errno and sizes, and would answer for them.
static void *(*volatile allocate)(size_t) = malloc;
static void *(*volatile allocate_array)(size_t, size_t) = calloc;
static void *(*volatile resize)(void *, size_t) = realloc;
static void (*volatile release)(void *) = free;

/// Allocates, fills, checks and frees, much of it in an order of its own.
static void churn(unsigned seed, int count) {
    enum { SLOTS = 200 };
    unsigned char *slots[SLOTS] = {0};
    size_t sizes[SLOTS] = {0};
    for (int i = 0; i < count + SLOTS; i++) {
        int slot = i < count ? rand_r(&seed) % SLOTS : i - count;
        for (size_t k = 0; k < sizes[slot]; k += 61) {
            EXPECT(slots[slot][k] == (unsigned char)slot, k);
        }
        size_t wanted = i < count ? 1 + (size_t)(rand_r(&seed) % 2000) : 0;
        if (wanted && slots[slot] && wanted % 3 == 0) {
            slots[slot] = resize(slots[slot], wanted);
        } else {
            release(slots[slot]);
            slots[slot] = wanted ? allocate(wanted) : NULL;
        }
        EXPECT(!wanted || slots[slot], slot);
        memset(slots[slot] ? slots[slot] : (unsigned char[1]){0}, slot, wanted);
        sizes[slot] = wanted;
    }
}

// Handlers that allocate, at any moment, in malloc too.

static atomic_ulong handler_count;

[[clang::noinline]] static void site_in_handler(void) {
    void *one = allocate(40);
    *(volatile char *)one = 1;
    atomic_fetch_add(&handler_count, 1);
    release(one);
}

static void on_alarm(int number) {
    (void)number;
    int kept = errno;
    site_in_handler();
    errno = kept;
}

[[clang::noinline]] static void site_interrupted(void) {
    void *one = allocate(24);
    *(volatile char *)one = 1;
    release(one);
}

static void try_signals(void) {
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm, .sa_flags = SA_RESTART}, NULL);
    struct itimerval often = {{0, 50}, {0, 50}};
    setitimer(ITIMER_REAL, &often, NULL);
    unsigned long count = 0;
    while (atomic_load(&handler_count) < 5000) {
        site_interrupted();
        count++;
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    dprintf(STDOUT_FILENO, "site_interrupted %lu\nsite_in_handler %lu\n", count,
            atomic_load(&handler_count));
}

// Children.

static void wait_for(pid_t child) {
    int status = -1;
    EXPECT(waitpid(child, &status, 0) == child, child);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, status);
}

static atomic_bool forks_are_over;

static void *churn_in_thread(void *seed) {
    while (!atomic_load(&forks_are_over)) {
        churn((unsigned)(uintptr_t)seed, 2000);
    }
    return NULL;
}

/// Forks while another thread is in malloc.
static void try_fork(void) {
    pthread_t other;
    EXPECT(pthread_create(&other, NULL, churn_in_thread, (void *)7) == 0, 0);
    for (unsigned i = 0; i < 20; i++) {
        pid_t child = fork();
        EXPECT(child >= 0, child);
        if (child == 0) {
            churn(i, 50000);
            exit(0);
        }
        churn(i, 1000);
        wait_for(child);
    }
    atomic_store(&forks_are_over, true);
    pthread_join(other, NULL);
    pid_t child;
    char *words[] = {"true", NULL};
    EXPECT(posix_spawnp(&child, "true", NULL, NULL, words, environ) == 0, 0);
    wait_for(child);
    child = vfork();
    if (child == 0) {
        execvp("true", words);
        _exit(1);
    }
    wait_for(child);
}

// Threads whose last acts are frees.

static pthread_key_t key;

static void free_late(void *block) {
    release(block);
    void *another = allocate(100);
    EXPECT(another, 0);
    // Once more, in the next round of destructors, for a while.
    static thread_local int rounds;
    if (++rounds < 3) {
        pthread_setspecific(key, another);
    } else {
        release(another);
    }
}

static void *use_key(void *seed) {
    pthread_setspecific(key, allocate(64));
    churn((unsigned)(uintptr_t)seed, 300);
    return NULL;
}

static void try_threads(void) {
    EXPECT(pthread_key_create(&key, free_late) == 0, 0);
    for (unsigned i = 0; i < 100; i++) {
        pthread_t some[4];
        for (unsigned k = 0; k < 4; k++) {
            EXPECT(pthread_create(&some[k], NULL, use_key, (void *)(uintptr_t)(i * 4 + k)) == 0, i);
        }
        for (unsigned k = 0; k < 4; k++) {
            pthread_join(some[k], NULL);
        }
    }
}

// Failures, errno.

static void try_failing(void) {
    size_t huge = SIZE_MAX / 2 - 100;
    errno = 0;
    EXPECT(!allocate(huge) && errno == ENOMEM, errno);
    errno = 0;
    EXPECT(!allocate_array(huge, 3) && errno == ENOMEM, errno);
    char *one = allocate(30);
    strcpy(one, "kept");
    errno = 0;
    EXPECT(!resize(one, huge) && errno == ENOMEM && strcmp(one, "kept") == 0, errno);
    errno = 0;
    EXPECT(!reallocarray(one, huge, 3) && errno == ENOMEM && strcmp(one, "kept") == 0, errno);
    void *aligned = &aligned;
    errno = 77;
    EXPECT(posix_memalign(&aligned, 64, huge) == ENOMEM && aligned == &aligned, aligned);
    EXPECT(posix_memalign(&aligned, 24, 8) == EINVAL && aligned == &aligned, aligned);
    errno = 77;
    void *many[1000];
    for (int i = 0; i < 1000; i++) {
        many[i] = allocate(1 + (size_t)i * 5);
    }
    for (int i = 0; i < 1000; i++) {
        release(many[i]);
    }
    release(NULL);
    EXPECT(errno == 77, errno);
    release(one);
    errno = 0;
    EXPECT(!aligned_alloc(64, huge) && errno == ENOMEM, errno);
    errno = 0;
    EXPECT(!memalign(64, huge) && errno == ENOMEM, errno);
    errno = 0;
    EXPECT(!valloc(huge) && errno == ENOMEM, errno);
    errno = 0;
    EXPECT(!pvalloc(huge) && errno == ENOMEM, errno);
}

// Sizes and alignments.

/// Uses all that the allocator says may be used, which is what was asked for and little more.
static void fill(char *one, size_t n) {
    size_t usable = malloc_usable_size(one);
    EXPECT(one && usable >= n, n);
    memset(one, 1, usable);
}

static void try_sizes(void) {
    for (size_t n = 0; n < 5000; n++) {
        char *one = allocate(n);
        fill(one, n);
        EXPECT((uintptr_t)one % _Alignof(max_align_t) == 0, n);
        EXPECT(malloc_usable_size(one) <= n + n / 4 + 64, n);
        one = resize(one, n + 10);
        fill(one, n + 10);
        release(one);
    }
    EXPECT(malloc_usable_size(NULL) == 0, 0);
    for (size_t alignment = 8; alignment <= 1 << 16; alignment *= 2) {
        void *some[3] = {aligned_alloc(alignment, alignment * 2), memalign(alignment, 5), NULL};
        EXPECT(posix_memalign(&some[2], alignment, 77) == 0, alignment);
        size_t sizes[3] = {alignment * 2, 5, 77};
        for (int i = 0; i < 3; i++) {
            EXPECT((uintptr_t)some[i] % alignment == 0, alignment);
            fill(some[i], sizes[i]);
            release(some[i]);
        }
    }
}

// Libraries that come and go.

static void try_libraries(void) {
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 20);
    EXPECT(length > 0, length);
    path[length] = '\0';
    strcpy(strrchr(path, '/') + 1, "plugin.so");
    for (int i = 0; i < 200; i++) {
        void *library = dlopen(path, i & 1 ? RTLD_NOW : RTLD_LAZY);
        EXPECT(library, i);
        void *(*plugin_allocate)(size_t) = (void *(*)(size_t))dlsym(library, "plugin_allocate");
        EXPECT(plugin_allocate, i);
        char *one = plugin_allocate(300);
        EXPECT(one, i);
        EXPECT(dlclose(library) == 0, i);
        // The code that allocated it is no longer there.
        release(one);
        EXPECT(!dlopen("/nowhere/none.so", RTLD_NOW), i);
        EXPECT(dlerror(), i);
    }
}

// Libraries with other habits, which are there before hooks are.

static void (*rival_churn)(void);
static void *(*relocated_allocate)(size_t);

static void *open_beside(const char *name, int flags, const char *function) {
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 20);
    EXPECT(length > 0, length);
    path[length] = '\0';
    strcpy(strrchr(path, '/') + 1, name);
    void *library = dlopen(path, flags);
    void *found = library ? dlsym(library, function) : NULL;
    EXPECT(found, 0);
    return found;
}

static void open_rival(void) {
    rival_churn = (void (*)(void))open_beside("rival.so", RTLD_LAZY | RTLD_DEEPBIND, "rival_churn");
}

static void open_relocated(void) {
    relocated_allocate =
        (void *(*)(size_t))open_beside("relocated.so", RTLD_NOW, "relocated_allocate");
}

/// Long enough for a writer thread to look at what has been used by then.
static void try_rival(void) {
    for (int i = 0; i < 20; i++) {
        rival_churn();
        churn(6, 500);
        usleep(10000);
    }
}

static void try_relocated(void) {
    for (int i = 0; i < 100; i++) {
        char *one = relocated_allocate(100);
        EXPECT(one, i);
        memset(one, 1, 100);
        release(one);
    }
}

/// Stacks of coroutines, whose lowest page nobody may read, freed as they are: libc unmaps them.
static void try_guarded(void) {
    for (int i = 0; i < 20; i++) {
        void *stack = NULL;
        EXPECT(posix_memalign(&stack, 4096, 1 << 20) == 0, i);
        EXPECT(mprotect(stack, 4096, PROT_NONE) == 0, i);
        release(stack);
    }
}

// Before main and after it.

[[gnu::constructor(101)]] static void begin(void) {
    early = strdup("early");
    churn(1, 500);
}

static bool tells_of_its_end;

[[gnu::destructor(101)]] static void end(void) {
    churn(2, 500);
    if (tells_of_its_end) {
        EXPECT(strcmp(early, "early") == 0, 0);
        dprintf(STDOUT_FILENO, "ok destructor\n");
    }
    free(early);
}

static void exit_late(void) { churn(3, 500); }

static void try_ends(void) {
    EXPECT(strcmp(early, "early") == 0, 0);
    EXPECT(atexit(exit_late) == 0, 0);
    tells_of_its_end = true;
}

/// The next modes in a new image of the process.
static void try_exec(void) {
    churn(4, 5000);
    setenv("HOSTILE_EXECUTED", "1", 1);
    all_words[0] = "/proc/self/exe";
    execv(all_words[0], all_words);
    give_up("exec", 0);
}

int main(int count, char **words) {
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"signals", try_signals}, {"fork", try_fork},   {"threads", try_threads},
                 {"failing", try_failing}, {"sizes", try_sizes}, {"libraries", try_libraries},
                 {"ends", try_ends},       {"exec", try_exec},   {"rival", try_rival},
                 {"relocated", try_relocated}, {"guarded", try_guarded}};
    all_words = words;
    bool is_executed = getenv("HOSTILE_EXECUTED") != NULL;
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "rival") == 0) {
            open_rival();
        } else if (strcmp(words[i], "relocated") == 0) {
            open_relocated();
        }
    }
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "wait") == 0) {
            char byte;
            if (!is_executed) {
                dprintf(STDOUT_FILENO, "ready\n");
                EXPECT(read(STDIN_FILENO, &byte, 1) >= 0, 0);
            }
            continue;
        }
        bool is_known = false;
        for (size_t k = 0; k < sizeof(modes) / sizeof(modes[0]); k++) {
            if (strcmp(words[i], modes[k].name) == 0) {
                is_known = true;
                if (modes[k].run != try_exec || !is_executed) {
                    modes[k].run();
                }
                dprintf(STDOUT_FILENO, "ok %s\n", words[i]);
            }
        }
        if (!is_known) {
            dprintf(STDERR_FILENO, "usage: hostile [wait] MODE...\n");
            return 2;
        }
    }
    return 0;
}
