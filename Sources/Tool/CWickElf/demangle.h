// Demanglers of the language runtimes that the tool is linked with; they have no header in C.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Swift's (libswiftCore): the full form, in memory from malloc, or NULL for a foreign name.
/// `output` and `output_size` are NULL here; `flags` is 0.
char *swift_demangle(const char *mangled, size_t length, char *output, size_t *output_size,
                     uint32_t flags);

/// The Itanium C++ ABI's (libstdc++): the full form, in memory from malloc, or NULL.
char *__cxa_demangle(const char *mangled, char *output, size_t *length, int *status);
