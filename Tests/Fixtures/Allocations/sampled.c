// Allocates known shares of bytes at known places, and prints
//
//   FUNCTION OBJECTS BYTES LIVE-OBJECTS LIVE-BYTES
//
//   sampled MEBIBYTES
//
// Every fourth object of a place stays allocated if it is small; the rest is freed at once.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Name, size of an object, share of the bytes in thousandths.
#define SITES(X)                                                                                   \
    X(share_300, 48, 300) X(share_200, 4096, 200) X(share_150, 16, 150) X(share_100, 700000, 100)  \
    X(share_080, 256, 80) X(share_060, 65536, 60) X(share_040, 1000, 40) X(share_030, 24, 30)      \
    X(share_020, 3000000, 20) X(share_012, 512, 12) X(share_008, 128, 8)

typedef struct {
    const char *name;
    void (*allocate)(void);
    size_t size;
    unsigned share;
    uint64_t objects, live;
} site;

static site sites[];

static void use(site *self, void *pointer) {
    if (!pointer) {
        _exit(3);
    }
    *(volatile char *)pointer = 1;
    self->objects++;
    if (self->size <= 4096 && self->objects % 4 == 0) {
        self->live++;
    } else {
        free(pointer);
    }
}

enum {
#define X(name, size, share) of_##name,
    SITES(X)
#undef X
    SITE_COUNT
};

#define X(name, size, share)                                                                       \
    [[clang::noinline]] static void name(void) { use(&sites[of_##name], malloc(size)); }
SITES(X)
#undef X

static site sites[] = {
#define X(name, size, share) {#name, name, size, share, 0, 0},
    SITES(X)
#undef X
};

int main(int count, char **words) {
    long mebibytes = count == 2 ? atol(words[1]) : 0;
    if (mebibytes < 1 || mebibytes > 1 << 20) {
        dprintf(STDERR_FILENO, "usage: sampled MEBIBYTES\n");
        return 2;
    }
    uint64_t byte_count = (uint64_t)mebibytes << 20, left[SITE_COUNT];
    for (int i = 0; i < SITE_COUNT; i++) {
        left[i] = byte_count / 1000 * sites[i].share / sites[i].size;
    }
    // In slices, so that all places are visited from the beginning to the end.
    enum { SLICES = 64 };
    for (uint64_t slice = 0; slice < SLICES; slice++) {
        for (int i = 0; i < SITE_COUNT; i++) {
            uint64_t now = left[i] * (slice + 1) / SLICES - left[i] * slice / SLICES;
            while (now-- > 0) {
                sites[i].allocate();
            }
        }
    }
    for (int i = 0; i < SITE_COUNT; i++) {
        const site *one = &sites[i];
        dprintf(STDOUT_FILENO, "%s %lu %lu %lu %lu\n", one->name, (unsigned long)one->objects,
                (unsigned long)(one->objects * one->size), (unsigned long)one->live,
                (unsigned long)(one->live * one->size));
    }
    return 0;
}
