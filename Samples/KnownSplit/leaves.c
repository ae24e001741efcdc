#include "leaves.h"

/*
 * Every function here must stay one function with one frame: `noinline` keeps it a call, different
 * arithmetic keeps two leaves from being folded into one, and the empty asm after a call keeps the
 * call from becoming a jump.
 */
#define ONE_FRAME __attribute__((noinline, used))
#define NOT_A_TAIL_CALL __asm__ volatile("" ::: "memory")

enum { ROUNDS_PER_UNIT = 64 };

ONE_FRAME static uint64_t leaf_seventy(uint64_t units, uint64_t state) {
    for (uint64_t i = 0; i < units * ROUNDS_PER_UNIT; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        state ^= state >> 29;
    }
    return state;
}

ONE_FRAME static uint64_t leaf_twenty(uint64_t units, uint64_t state) {
    for (uint64_t i = 0; i < units * ROUNDS_PER_UNIT; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    return state + 1;
}

ONE_FRAME static uint64_t leaf_ten(uint64_t units, uint64_t state) {
    for (uint64_t i = 0; i < units * ROUNDS_PER_UNIT; i++) {
        state = (state << 27 | state >> 37) * 0x9e3779b97f4a7c15u;
        state += i;
    }
    return state;
}

const struct wick_leaf wick_leaves[WICK_LEAVES] = {
    {"leaf_seventy", 0.7, leaf_seventy},
    {"leaf_twenty", 0.2, leaf_twenty},
    {"leaf_ten", 0.1, leaf_ten},
};

ONE_FRAME static uint64_t level_24(int leaf, uint64_t units, uint64_t state) {
    state = wick_leaves[leaf].run(units, state);
    NOT_A_TAIL_CALL;
    return state;
}

#define LEVEL(number, next)                                                                        \
    ONE_FRAME static uint64_t level_##number(int leaf, uint64_t units, uint64_t state) {           \
        state = level_##next(leaf, units, state);                                                  \
        NOT_A_TAIL_CALL;                                                                           \
        return state;                                                                              \
    }

LEVEL(23, 24)
LEVEL(22, 23)
LEVEL(21, 22)
LEVEL(20, 21)
LEVEL(19, 20)
LEVEL(18, 19)
LEVEL(17, 18)
LEVEL(16, 17)
LEVEL(15, 16)
LEVEL(14, 15)
LEVEL(13, 14)
LEVEL(12, 13)
LEVEL(11, 12)
LEVEL(10, 11)
LEVEL(09, 10)
LEVEL(08, 09)
LEVEL(07, 08)
LEVEL(06, 07)
LEVEL(05, 06)
LEVEL(04, 05)
LEVEL(03, 04)
LEVEL(02, 03)
LEVEL(01, 02)

ONE_FRAME uint64_t wick_descend(int leaf, uint64_t units, uint64_t state) {
    state = level_01(leaf, units, state);
    NOT_A_TAIL_CALL;
    return state;
}
