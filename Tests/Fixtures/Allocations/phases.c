// Allocates at one place in each phase, for recordings that are switched between them. In a phase
// objects of earlier ones are freed, too:
//
//   phase         allocates                    frees
//   place_first   1000 of 1000 bytes           -
//   place_second  8192 of 1024 bytes           500 of the first
//   place_third   1000 of 1000 bytes           250 of the first
//   place_fourth  300 of 300 bytes             all of the second, 200 of the third
//
// and at the end place_mapped maps 3 regions of 8 MiB, and unmaps one of them.
//
//   phases [wait]
//
// With "wait" it says "phase N" and waits for a byte before each phase, and "done" after the last.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gate.h"

enum { FIRST = 1000, SECOND = 8192, THIRD = 1000, FOURTH = 300, REGIONS = 3 };

static void *first[FIRST], *second[SECOND], *third[THIRD], *fourth[FOURTH];

static void fill(void **all, size_t count, void *(*place)(void)) {
    for (size_t i = 0; i < count; i++) {
        all[i] = place();
        if (!all[i]) {
            _exit(3);
        }
    }
}

static void release(void **all, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(all[i]);
    }
}

[[clang::noinline]] static void *place_first(void) { return malloc(1000); }
[[clang::noinline]] static void *place_second(void) { return malloc(1024); }
[[clang::noinline]] static void *place_third(void) { return malloc(1000); }
[[clang::noinline]] static void *place_fourth(void) { return malloc(300); }

[[clang::noinline]] static void *place_mapped(void) {
    return mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int main(int count, char **words) {
    wait_if_asked(count, words, "phase 1\n");
    fill(first, FIRST, place_first);
    wait_if_asked(count, words, "phase 2\n");
    fill(second, SECOND, place_second);
    release(first, 500);
    wait_if_asked(count, words, "phase 3\n");
    fill(third, THIRD, place_third);
    release(first + 500, 250);
    wait_if_asked(count, words, "phase 4\n");
    fill(fourth, FOURTH, place_fourth);
    release(second, SECOND);
    release(third, 200);
    void *regions[REGIONS];
    for (size_t i = 0; i < REGIONS; i++) {
        regions[i] = place_mapped();
        if (regions[i] == MAP_FAILED) {
            _exit(3);
        }
    }
    munmap(regions[1], 8 << 20);
    wait_if_asked(count, words, "done\n");
    return 0;
}
