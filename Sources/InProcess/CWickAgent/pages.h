// Memory for the agent's own tables: whole pages from the kernel, never malloc, which may be hooked
// or hold a lock. Not for handlers: mmap can wait for another thread's change of the address space.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

/// Maps zeroed pages, nothing of which costs memory before it is touched; NULL if refused.
static inline void *wick_pages_map(size_t byte_count) {
    void *pages = mmap(NULL, byte_count, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

/// Gives back what pages hold and keeps the pages, whose whole ones are zeros when they are next touched.
static inline void wick_pages_drop(void *pages, size_t byte_count) {
    uintptr_t start = ((uintptr_t)pages + 4095) & ~(uintptr_t)4095;
    uintptr_t end = ((uintptr_t)pages + byte_count) & ~(uintptr_t)4095;
    if (start < end) {
        madvise((void *)start, end - start, MADV_DONTNEED);
    }
}

/// Gives pages back; NULL is ignored.
static inline void wick_pages_unmap(void *pages, size_t byte_count) {
    if (pages) {
        munmap(pages, byte_count);
    }
}
