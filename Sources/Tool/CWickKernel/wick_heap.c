#include "wick_kernel.h"

#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// Less is in a cache, or soon done.
static const size_t least_byte_count = 16 << 20;

void wick_kernel_prepare_heap(size_t byte_count)
{
    if (byte_count < least_byte_count)
        return;
    // Large tables, too, go to the heap, which is kept when they are freed.
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    // Grow it once by all that may be needed: what was advised stays one mapping.
    mallopt(M_TOP_PAD, byte_count < INT_MAX ? (int)byte_count : INT_MAX);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = ((uintptr_t)sbrk(0) + page - 1) / page * page;
    void *volatile block = malloc(least_byte_count);
    free(block);
    uintptr_t end = (uintptr_t)sbrk(0);
    mallopt(M_TOP_PAD, 1 << 20);
    if (end > start)
        madvise((void *)start, end - start, MADV_HUGEPAGE);
}
