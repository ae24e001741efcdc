// What a word that begins heap objects is: metadata of a Swift class, of something that the Swift
// runtime makes, or the virtual table of a C++ class. Writer thread only; nothing is taken for
// granted, as the word may be anything.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "allocation_type_memory.h"
#include "wick_format.h"

/// Bytes of a name with its terminator; longer ones are cut.
enum : size_t { WICK_TYPE_NAME_LIMIT = 4096 };

/// Text that grows to WICK_TYPE_NAME_LIMIT.
typedef struct {
    size_t byte_count;
    bool is_cut;
    char bytes[WICK_TYPE_NAME_LIMIT];
} wick_type_text;

void wick_type_text_add(wick_type_text *text, const char *string);

/// Names what begins with `word`, terminated; false if that is no type.
bool wick_type_describe(wick_type_memory *memory, uintptr_t word, wick_type_text *name,
                        wick_type_kind *kind);

/// The part of it that knows Swift classes.
bool wick_type_describe_swift_class(wick_type_memory *memory, uintptr_t metadata,
                                    wick_type_text *name);
