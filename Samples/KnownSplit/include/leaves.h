#pragma once

#include <stdint.h>

/*
 * The three functions that do all the work, reached through a chain of WICK_LEVELS distinct
 * functions, so that each profile must show the same path:
 *
 *   wick_run_schedule > run_slot > wick_descend > level_01 > … > level_24 > leaf_seventy
 *                                                                         | leaf_twenty
 *                                                                         | leaf_ten
 */

enum { WICK_LEVELS = 24, WICK_LEAVES = 3 };

struct wick_leaf {
    const char *name; /* as the symbol table has it */
    double share;     /* of the thread's CPU time */
    uint64_t (*run)(uint64_t units, uint64_t state);
};

/* The shares add up to one. */
extern const struct wick_leaf wick_leaves[WICK_LEAVES];

/*
 * Goes down through every level and runs `units` units of work (some 100 ns each, not calibrated)
 * in the leaf with this index. Returns the state to hand to the next call.
 */
uint64_t wick_descend(int leaf, uint64_t units, uint64_t state);
