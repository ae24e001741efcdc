// Stands before the functions that allocate: by their names in the library that is preloaded for that
// (WICK_INTERPOSE), from the first instruction; by the tables of all modules everywhere else, see
// got_hooks.h.
#pragma once

#include <stdbool.h>

/// Puts the hooks in place, if they are not. False if there is no place for them: a static program.
/// Normal threads only, one at a time.
bool wick_malloc_hook(void);

/// Puts them into modules that were loaded since. Writer thread only.
void wick_malloc_hook_again(void);

/// Takes them out of all tables.
void wick_malloc_unhook(void);
