// Allocates at known places and prints what it did, one line a place:
//
//   FUNCTION OBJECTS BYTES FREED-OBJECTS FREED-BYTES TEMPORARY
//
//   known THREADS ROUNDS [wait]
//
// Each place is a function of its own; its name is in the stack of each of its allocations and of
// no other's. A realloc that succeeds frees the old object, wherever that was allocated, and then
// allocates. Temporary is what free was given before its thread allocated anything else; what
// realloc takes is not. With "wait" it waits for a byte before and after its work.
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "gate.h"

#define SITES(X)                                                                                   \
    X(site_malloc) X(site_malloc_zero) X(site_calloc) X(site_calloc_overflow)                      \
    X(site_realloc_base) X(site_realloc_grow) X(site_realloc_shrink) X(site_realloc_of_null)       \
    X(site_realloc_failing) X(site_reallocarray) X(site_posix_memalign) X(site_aligned_alloc)      \
    X(site_memalign) X(site_valloc) X(site_pvalloc) X(site_strdup) X(site_large) X(site_leak)      \
    X(site_temporary) X(site_handed)

typedef enum {
#define X(name) of_##name,
    SITES(X)
#undef X
    SITE_COUNT
} site;

static const char *const site_names[] = {
#define X(name) #name,
    SITES(X)
#undef X
};

static struct {
    _Atomic uint64_t objects, bytes, freed_objects, freed_bytes, temporary;
} truth[SITE_COUNT];

typedef struct {
    void *pointer;
    size_t byte_count;
    site owner;
} block;

enum { HANDED = 32, MANY = 100 };

// Sizes that nothing satisfies; variables, so that no compiler warns or computes.
static volatile size_t huge = SIZE_MAX / 2 - 4096, three = 3;
static thread_local void *latest;

static void give_up(const char *what) {
    dprintf(STDOUT_FILENO, "FAILED: %s (errno %d)\n", what, errno);
    _exit(1);
}

/// An allocation that must succeed.
static block note(site owner, void *pointer, size_t byte_count) {
    if (!pointer) {
        give_up(site_names[owner]);
    }
    truth[owner].objects++;
    truth[owner].bytes += byte_count;
    latest = pointer;
    return (block){pointer, byte_count, owner};
}

static void note_end(block one) {
    truth[one.owner].freed_objects++;
    truth[one.owner].freed_bytes += one.byte_count;
}

static void release(block one) {
    note_end(one);
    truth[one.owner].temporary += one.pointer == latest;
    free(one.pointer);
}

/// What a failed call must leave.
static void expect_refusal(bool is_refused, int error, const char *what) {
    if (!is_refused || error != ENOMEM) {
        give_up(what);
    }
}

#define SITE [[clang::noinline]] static

SITE block site_malloc(size_t n) { return note(of_site_malloc, malloc(n), n); }
SITE block site_malloc_zero(void) { return note(of_site_malloc_zero, malloc(0), 0); }
SITE block site_calloc(size_t n, size_t size) {
    block one = note(of_site_calloc, calloc(n, size), n * size);
    for (size_t i = 0; i < n * size; i++) {
        if (((unsigned char *)one.pointer)[i]) {
            give_up("calloc gave bytes that are not 0");
        }
    }
    return one;
}
SITE void site_calloc_overflow(void) {
    errno = 0;
    void *none = calloc(huge, 8);
    expect_refusal(!none, errno, "site_calloc_overflow");
}
SITE block site_realloc_base(size_t n) { return note(of_site_realloc_base, malloc(n), n); }

/// The bookkeeping of a realloc, whose result is known only afterwards.
static block resized(site owner, block old, void *pointer, size_t n) {
    if (!pointer) {
        give_up(site_names[owner]);
    }
    note_end(old);
    return note(owner, pointer, n);
}
SITE block site_realloc_grow(block old, size_t n) {
    return resized(of_site_realloc_grow, old, realloc(old.pointer, n), n);
}
SITE block site_realloc_shrink(block old, size_t n) {
    return resized(of_site_realloc_shrink, old, realloc(old.pointer, n), n);
}
SITE block site_realloc_of_null(size_t n) {
    return note(of_site_realloc_of_null, realloc(NULL, n), n);
}
SITE void site_realloc_failing(block one) {
    errno = 0;
    void *none = realloc(one.pointer, huge);
    expect_refusal(!none, errno, "site_realloc_failing");
}
SITE block site_reallocarray(block old, size_t n, size_t size) {
    errno = 0;
    void *none = reallocarray(old.pointer, huge, 4);
    expect_refusal(!none, errno, "reallocarray overflow");
    return resized(of_site_reallocarray, old, reallocarray(old.pointer, n, size), n * size);
}
SITE block site_posix_memalign(size_t alignment, size_t n) {
    void *pointer = NULL;
    if (posix_memalign(&pointer, three, n) != EINVAL || pointer) {
        give_up("posix_memalign took a bad alignment");
    }
    int result = posix_memalign(&pointer, alignment, n);
    return note(of_site_posix_memalign, result == 0 ? pointer : NULL, n);
}
SITE block site_aligned_alloc(size_t alignment, size_t n) {
    return note(of_site_aligned_alloc, aligned_alloc(alignment, n), n);
}
SITE block site_memalign(size_t alignment, size_t n) {
    return note(of_site_memalign, memalign(alignment, n), n);
}
SITE block site_valloc(size_t n) { return note(of_site_valloc, valloc(n), n); }
SITE block site_pvalloc(size_t n) { return note(of_site_pvalloc, pvalloc(n), n); }
SITE block site_strdup(const char *text) {
    return note(of_site_strdup, strdup(text), strlen(text) + 1);
}
/// Beyond the threshold from which the C library maps a block of its own.
SITE block site_large(size_t n) { return note(of_site_large, malloc(n), n); }
SITE void site_leak(size_t n) { memset(note(of_site_leak, malloc(n), n).pointer, 1, n); }
SITE void site_temporary(size_t n) { release(note(of_site_temporary, malloc(n), n)); }
SITE block site_handed(size_t n) { return note(of_site_handed, malloc(n), n); }

static void check_alignment(block one, size_t alignment) {
    if ((uintptr_t)one.pointer % alignment != 0) {
        give_up(site_names[one.owner]);
    }
}

static void use_resized(void) {
    block one = site_realloc_base(16);
    // From bins of the thread to a mapping that grows in place.
    for (size_t n = 32; n <= 1 << 20; n *= 2) {
        memset(one.pointer, 0x5a, one.byte_count);
        size_t kept = one.byte_count;
        one = site_realloc_grow(one, n);
        for (size_t i = 0; i < kept; i += 15) {
            if (((unsigned char *)one.pointer)[i] != 0x5a) {
                give_up("realloc lost contents");
            }
        }
    }
    for (size_t n = 1 << 19; n >= 8; n /= 2) {
        one = site_realloc_shrink(one, n);
    }
    site_realloc_failing(one);
    one = site_reallocarray(one, 11, 13);
    note_end(one);
    if (realloc(one.pointer, 0)) {
        give_up("realloc to 0 bytes gave a block");
    }
    release(site_realloc_of_null(48));
}

static void use_aligned(void) {
    block some[] = {site_posix_memalign(64, 200), site_aligned_alloc(256, 512),
                    site_memalign(32, 100), site_valloc(5000), site_pvalloc(5000)};
    size_t page = (size_t)sysconf(_SC_PAGESIZE), alignments[] = {64, 256, 32, page, page};
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        check_alignment(some[i], alignments[i]);
        release(some[i]);
    }
}

static void use_all(size_t round) {
    block some[MANY];
    for (size_t i = 0; i < MANY; i++) {
        some[i] = site_malloc(1 + i * 7 + round % 5);
    }
    for (size_t i = 0; i < MANY; i++) {
        // Neither in the order of allocation nor in its reverse.
        release(some[i * 37 % MANY]);
    }
    for (size_t i = 0; i < 10; i++) {
        site_temporary(24 + i);
    }
    release(site_malloc_zero());
    release(site_calloc(7, 13));
    site_calloc_overflow();
    use_resized();
    use_aligned();
    release(site_strdup("a text that the C library copies"));
    release(site_large((3 << 20) + 5));
    site_leak(77);
}

typedef struct {
    pthread_t thread;
    size_t round_count;
    block handed[HANDED];
} worker;

static void *work(void *argument) {
    worker *self = argument;
    for (size_t i = 0; i < HANDED; i++) {
        self->handed[i] = site_handed(1000 + i);
    }
    for (size_t round = 0; round < self->round_count; round++) {
        use_all(round);
    }
    return NULL;
}

int main(int count, char **words) {
    int thread_count = count > 2 ? atoi(words[1]) : 0, round_count = count > 2 ? atoi(words[2]) : 0;
    enum { MOST_THREADS = 16 };
    if (thread_count < 1 || thread_count > MOST_THREADS || round_count < 1) {
        dprintf(STDERR_FILENO, "usage: known THREADS ROUNDS [wait]\n");
        return 2;
    }
    wait_if_asked(count, words, "ready\n");
    static worker workers[MOST_THREADS];
    for (int i = 0; i < thread_count; i++) {
        workers[i].round_count = (size_t)round_count;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
            give_up("no thread");
        }
    }
    for (int i = 0; i < thread_count; i++) {
        pthread_join(workers[i].thread, NULL);
        for (size_t k = 0; k < HANDED; k++) {
            release(workers[i].handed[k]);
        }
    }
    for (int i = 0; i < SITE_COUNT; i++) {
        dprintf(STDOUT_FILENO, "%s %lu %lu %lu %lu %lu\n", site_names[i],
                (unsigned long)truth[i].objects, (unsigned long)truth[i].bytes,
                (unsigned long)truth[i].freed_objects, (unsigned long)truth[i].freed_bytes,
                (unsigned long)truth[i].temporary);
    }
    wait_if_asked(count, words, "done\n");
    return 0;
}
