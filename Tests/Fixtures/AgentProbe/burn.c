#include <stdio.h>
#include <time.h>

#include "probe.h"

double thread_cpu(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

__attribute__((noinline)) uint64_t burn_leaf(uint64_t rounds) {
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        sum += i * i;
    }
    return sum;
}

__attribute__((noinline)) void burn(double seconds) {
    double end = thread_cpu() + seconds;
    while (thread_cpu() < end) {
        burn_leaf(20000);
    }
}

void *burn_in_thread(void *seconds) {
    burn(*(double *)seconds);
    return NULL;
}

int complain(const char *what, long found, long expected) {
    printf("%s: %ld, not %ld\n", what, found, expected);
    fflush(stdout);
    return 1;
}
