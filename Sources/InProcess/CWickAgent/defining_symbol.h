// Finds the function that a name stands for in this process, where the loader's own answer may lead
// back to us or into a program's stub.
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    /// 0: nobody defines it.
    uintptr_t address;
    /// Load bias of the module that does.
    uintptr_t module;
} wick_definition;

/// The first module in the loader's order, but for this library, the loader and the vdso, whose dynamic
/// symbols define a function of this name. Takes the loader's list lock; calls no malloc.
wick_definition wick_find_definition(const char *name);

/// Whether any other module but these defines another function of this name.
bool wick_has_other_definition(const char *name, uintptr_t address);
