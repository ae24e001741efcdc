// An allocator that never reuses memory and may be called anywhere, in a signal's handler too: with
// it, a host whose handlers allocate is right by itself. malloc and its kin take the next bytes of
// one large mapping; free does nothing.
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { HEADER = 16 };
static const size_t capacity = (size_t)16 << 30;
static _Atomic(char *) base;
static _Atomic size_t used;

static char *arena(void) {
    char *known = atomic_load(&base);
    if (known) {
        return known;
    }
    char *fresh = mmap(NULL, capacity, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (fresh == MAP_FAILED) {
        return NULL;
    }
    if (atomic_compare_exchange_strong(&base, &known, fresh)) {
        return fresh;
    }
    munmap(fresh, capacity);
    return known;
}

void *memalign(size_t alignment, size_t n) {
    alignment = alignment < HEADER ? HEADER : alignment;
    char *start = arena();
    // Room for the size before the block, wherever alignment puts it.
    size_t whole = n + HEADER + alignment;
    if (!start || n > capacity || alignment > capacity ||
        atomic_load(&used) > capacity - whole) {
        errno = ENOMEM;
        return NULL;
    }
    uintptr_t first = (uintptr_t)start + atomic_fetch_add(&used, (whole + HEADER - 1) & -HEADER);
    uintptr_t block = (first + HEADER + alignment - 1) & -alignment;
    ((size_t *)block)[-1] = n;
    return (void *)block;
}

void *malloc(size_t n) { return memalign(HEADER, n); }

void free(void *pointer) { (void)pointer; }

void *calloc(size_t n, size_t size) {
    size_t whole;
    if (__builtin_mul_overflow(n, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    // Never used before: 0.
    return malloc(whole);
}

size_t malloc_usable_size(void *pointer) { return pointer ? ((size_t *)pointer)[-1] : 0; }

void *realloc(void *old, size_t n) {
    void *pointer = malloc(n);
    size_t kept = malloc_usable_size(old);
    if (pointer && old) {
        memcpy(pointer, old, kept < n ? kept : n);
    }
    return pointer;
}

int posix_memalign(void **result, size_t alignment, size_t n) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || !alignment) {
        return EINVAL;
    }
    void *pointer = memalign(alignment, n);
    if (!pointer) {
        return ENOMEM;
    }
    *result = pointer;
    return 0;
}

void *aligned_alloc(size_t alignment, size_t n) { return memalign(alignment, n); }
