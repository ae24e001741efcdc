// A library that is loaded and unloaded while its host is sampled.
#include <stdint.h>

__attribute__((noinline)) uint64_t wick_library_leaf(uint64_t rounds) {
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        sum += i * i;
    }
    return sum;
}

__attribute__((noinline)) uint64_t wick_library_work(uint64_t rounds) {
    return wick_library_leaf(rounds) + 1;
}
