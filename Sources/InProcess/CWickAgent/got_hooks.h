// Stands before functions of a running program: the places where its modules keep the addresses that the
// loader found for them, their global offset tables, are changed, and changed back without a trace.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum : size_t { WICK_UNBOUND_LIMIT = 1024 };

typedef struct {
    const char *name;
    uintptr_t ours;
    /// The function that places must lead to now; 0: it is not to be hooked.
    uintptr_t theirs;
} wick_got_hook;

/// Functions that are hooked and unhooked together.
typedef struct {
    wick_got_hook *hooks;
    size_t count;
    /// Whether pointers to the functions in initialized data are changed too.
    bool takes_data;
    /// Places that the latest take has changed.
    size_t taken_count;
    /// One bit a hook, in a take: whether another module has a function of this name too.
    uint64_t rivals;
    /// In a take: whether the module comes after libc, as all do that dlopen brings.
    bool is_behind_libc;
    /// Places that were not used yet when they were taken, and what they led to.
    size_t unbound_count;
    struct {
        uintptr_t *place, value;
    } unbound[WICK_UNBOUND_LIMIT];
} wick_got_set;

/// Puts our functions into all tables; what is loaded later needs another take. Takes the loader's list
/// lock. Returns how many places were changed. Normal threads only, one at a time.
size_t wick_got_take(wick_got_set *hooks);

/// Whether takes have left places that were not used yet and may come to lead to another
/// module's function (RTLD_DEEPBIND): they are to be looked at again when they have been.
bool wick_got_has_left(void);

/// Puts theirs back wherever ours still stand. Threads may still be in ours, which pass everything on.
void wick_got_give_back(wick_got_set *hooks);
