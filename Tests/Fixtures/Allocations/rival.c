// A library with an allocator of its own, which it finds first (RTLD_DEEPBIND). Its places of malloc are
// used when it is loaded, that of free when the host says so.
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static char pool[1 << 20];
static size_t used;
static void *first;

void *malloc(size_t n) {
    char *block = pool + used;
    used += (n + 31) & ~(size_t)15;
    return used <= sizeof(pool) ? block : NULL;
}

void free(void *block) {
    if (block && ((char *)block < pool || (char *)block >= pool + sizeof(pool))) {
        static const char words[] = "FAILED: a block of another allocator\n";
        _exit(write(STDOUT_FILENO, words, sizeof(words) - 1) > 0 ? 1 : 2);
    }
}

[[gnu::constructor]] static void load(void) { first = malloc(10); }

/// Gives back what was allocated first, and once more.
void rival_churn(void) {
    free(first);
    first = malloc(20);
}
