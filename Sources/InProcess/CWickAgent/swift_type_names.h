// Names of Swift types from their metadata, read as data: nothing of the runtime is called, which
// could take its locks. They read as String(reflecting:) gives them, but without the words in
// parentheses for private types, local types and extensions. "_" stands for what has no name here.
#pragma once

#include "allocation_type_names.h"

/// The most types within types that are named.
enum : unsigned { WICK_SWIFT_DEPTH_LIMIT = 8 };

/// Adds the name of any type's metadata; always adds something.
void wick_swift_add_type(wick_type_memory *memory, wick_type_text *name, uintptr_t metadata,
                         unsigned depth);

/// Adds the name of a nominal type or protocol, with the arguments at `arguments`, a run of words,
/// or without any if that is 0. False if it is none that can be read; then the text is as it was.
bool wick_swift_add_nominal(wick_type_memory *memory, wick_type_text *name, uintptr_t descriptor,
                            uintptr_t arguments, unsigned depth);

/// The address of a class's generic arguments; 0 if it cannot be read.
uintptr_t wick_swift_class_arguments(wick_type_memory *memory, uintptr_t metadata,
                                     uintptr_t descriptor);
