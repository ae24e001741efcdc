#include "swift_type_names.h"

#include <string.h>

#include "swift_metadata.h"

enum : size_t {
    /// Elements of tuples, functions and compositions that are named.
    ELEMENT_LIMIT = 64,
    LABELS_LIMIT = 512,
};

uintptr_t wick_swift_class_arguments(wick_type_memory *memory, uintptr_t metadata,
                                     uintptr_t descriptor) {
    uint32_t flags;
    wick_swift_class_bounds bounds;
    if (!wick_type_read(memory, descriptor, &flags, sizeof flags) ||
        !wick_type_read(memory, descriptor + 24, &bounds, sizeof bounds)) {
        return 0;
    }
    if (flags & WICK_SWIFT_CONTEXT_HAS_RESILIENT_SUPERCLASS) {
        // A word of bytes from the metadata on, which the runtime has written by now.
        uintptr_t bytes, place = descriptor + 24 + (uintptr_t)(intptr_t)bounds.resilient_bounds;
        return wick_type_read_word(memory, place, &bytes) ? metadata + bytes : 0;
    }
    intptr_t words = flags & WICK_SWIFT_CONTEXT_MEMBERS_ARE_NEGATIVE
                         ? -(intptr_t)bounds.negative_word_count
                         : (intptr_t)bounds.positive_word_count - (intptr_t)bounds.member_count;
    return metadata + (uintptr_t)words * sizeof(uintptr_t);
}

/// Adds the type at `place`, a pointer to metadata.
static void add_type_at(wick_type_memory *memory, wick_type_text *name, uintptr_t place,
                        unsigned depth) {
    uintptr_t metadata;
    bool is_read = wick_type_read_word(memory, place, &metadata);
    wick_swift_add_type(memory, name, is_read ? metadata : 0, depth + 1);
}

static void add_tuple(wick_type_memory *memory, wick_type_text *name, uintptr_t metadata,
                      unsigned depth) {
    // Count, labels (each with a space behind it), then elements: type and offset.
    uintptr_t head[2];
    char labels[LABELS_LIMIT] = "";
    if (!wick_type_read(memory, metadata + 8, head, sizeof head)) {
        wick_type_text_add(name, "_");
        return;
    }
    if (head[1]) {
        wick_type_read_string(memory, head[1], labels, sizeof labels);
    }
    char *label = labels;
    wick_type_text_add(name, "(");
    for (size_t i = 0; i < head[0] && i < ELEMENT_LIMIT; i++) {
        wick_type_text_add(name, i > 0 ? ", " : "");
        char *end = strchr(label, ' ');
        if (end) {
            *end = 0;
            wick_type_text_add(name, label);
            wick_type_text_add(name, *label ? ": " : "");
            label = end + 1;
        }
        add_type_at(memory, name, metadata + 24 + i * 16, depth);
    }
    wick_type_text_add(name, head[0] > ELEMENT_LIMIT ? ", …)" : ")");
}

static void add_parameters(wick_type_memory *memory, wick_type_text *name, uintptr_t metadata,
                           uintptr_t flags, unsigned depth) {
    static const char *const ownerships[] = {"", "inout ", "__shared ", "__owned "};
    uintptr_t count = flags & WICK_SWIFT_FUNCTION_PARAMETER_COUNT_MASK;
    for (size_t i = 0; i < count && i < ELEMENT_LIMIT; i++) {
        uint32_t parameter = 0;
        if (flags & WICK_SWIFT_FUNCTION_HAS_PARAMETER_FLAGS) {
            wick_type_read(memory, metadata + 24 + count * 8 + i * sizeof parameter, &parameter,
                           sizeof parameter);
        }
        wick_type_text_add(name, i > 0 ? ", " : "");
        wick_type_text_add(name, ownerships[parameter & 3]);
        add_type_at(memory, name, metadata + 24 + i * 8, depth);
        wick_type_text_add(name, parameter & 0x80 ? "..." : "");
    }
    wick_type_text_add(name, count > ELEMENT_LIMIT ? ", …" : "");
}

static void add_function(wick_type_memory *memory, wick_type_text *name, uintptr_t metadata,
                         unsigned depth) {
    static const char *const conventions[] = {
        "", "@convention(block) ", "@convention(thin) ", "@convention(c) "};
    // Flags, result, parameters, their flags, whether it can be differentiated, its global actor.
    uintptr_t flags;
    if (!wick_type_read_word(memory, metadata + 8, &flags)) {
        wick_type_text_add(name, "_");
        return;
    }
    if (flags & WICK_SWIFT_FUNCTION_HAS_GLOBAL_ACTOR) {
        uintptr_t count = flags & WICK_SWIFT_FUNCTION_PARAMETER_COUNT_MASK;
        uintptr_t place = metadata + 24 + count * 8;
        place += flags & WICK_SWIFT_FUNCTION_HAS_PARAMETER_FLAGS ? (count * 4 + 7) & ~7u : 0;
        place += flags & WICK_SWIFT_FUNCTION_IS_DIFFERENTIABLE ? 8 : 0;
        wick_type_text_add(name, "@");
        add_type_at(memory, name, place, depth);
        wick_type_text_add(name, " ");
    }
    wick_type_text_add(name, conventions[flags >> WICK_SWIFT_FUNCTION_CONVENTION_SHIFT & 3]);
    wick_type_text_add(name, flags & WICK_SWIFT_FUNCTION_IS_SENDABLE ? "@Sendable (" : "(");
    add_parameters(memory, name, metadata, flags, depth);
    wick_type_text_add(name, flags & WICK_SWIFT_FUNCTION_IS_ASYNC ? ") async" : ")");
    wick_type_text_add(name, flags & WICK_SWIFT_FUNCTION_THROWS ? " throws -> " : " -> ");
    add_type_at(memory, name, metadata + 16, depth);
}

static void add_existential(wick_type_memory *memory, wick_type_text *name, uintptr_t metadata,
                            unsigned depth) {
    // Flags and number of protocols, then a superclass if there is one, then the protocols.
    uint32_t head[2];
    if (!wick_type_read(memory, metadata + 8, head, sizeof head)) {
        wick_type_text_add(name, "_");
        return;
    }
    uintptr_t place = metadata + 16;
    bool has_superclass = head[0] & WICK_SWIFT_EXISTENTIAL_HAS_SUPERCLASS;
    if (head[1] == 0 && !has_superclass) {
        bool is_any = head[0] & WICK_SWIFT_EXISTENTIAL_MAY_BE_VALUE;
        wick_type_text_add(name, is_any ? "Any" : "Swift.AnyObject");
        return;
    }
    if (has_superclass) {
        add_type_at(memory, name, place, depth);
        place += sizeof(uintptr_t);
    }
    for (size_t i = 0; i < head[1] && i < ELEMENT_LIMIT; i++, place += sizeof(uintptr_t)) {
        uintptr_t protocol;
        wick_type_text_add(name, i > 0 || has_superclass ? " & " : "");
        if (!wick_type_read_word(memory, place, &protocol) ||
            !wick_swift_add_nominal(memory, name, protocol, 0, depth)) {
            wick_type_text_add(name, "_");
        }
    }
    wick_type_text_add(name, head[1] > ELEMENT_LIMIT ? " & …" : "");
}

/// Adds the name of a nominal type, whose descriptor is at `descriptor_place`.
static bool add_nominal_at(wick_type_memory *memory, wick_type_text *name,
                           uintptr_t descriptor_place, uintptr_t arguments, unsigned depth) {
    uintptr_t descriptor;
    return wick_type_read_word(memory, descriptor_place, &descriptor) &&
           wick_swift_add_nominal(memory, name, descriptor, arguments, depth);
}

static bool add_class(wick_type_memory *memory, wick_type_text *name, uintptr_t metadata,
                      unsigned depth) {
    uintptr_t descriptor;
    return wick_type_read_word(memory, metadata + 40, &descriptor) &&
           wick_swift_add_nominal(memory, name, descriptor,
                                  wick_swift_class_arguments(memory, metadata, descriptor), depth);
}

void wick_swift_add_type(wick_type_memory *memory, wick_type_text *name, uintptr_t metadata,
                         unsigned depth) {
    uintptr_t kind;
    bool is_named = false;
    if (depth > WICK_SWIFT_DEPTH_LIMIT || metadata % sizeof(uintptr_t) || name->is_cut ||
        !wick_type_read_word(memory, metadata, &kind)) {
        wick_type_text_add(name, "_");
        return;
    }
    switch (kind) {
    case WICK_SWIFT_CLASS: is_named = add_class(memory, name, metadata, depth); break;
    case WICK_SWIFT_STRUCT:
    case WICK_SWIFT_ENUM:
    case WICK_SWIFT_OPTIONAL:
        is_named = add_nominal_at(memory, name, metadata + 8, metadata + 16, depth);
        break;
    case WICK_SWIFT_FOREIGN_CLASS:
    case WICK_SWIFT_FOREIGN_REFERENCE:
        is_named = add_nominal_at(memory, name, metadata + 8, 0, depth);
        break;
    case WICK_SWIFT_TUPLE: add_tuple(memory, name, metadata, depth); return;
    case WICK_SWIFT_FUNCTION: add_function(memory, name, metadata, depth); return;
    case WICK_SWIFT_EXISTENTIAL: add_existential(memory, name, metadata, depth); return;
    case WICK_SWIFT_METATYPE:
    case WICK_SWIFT_EXISTENTIAL_METATYPE:
        add_type_at(memory, name, metadata + 8, depth);
        wick_type_text_add(name, ".Type");
        return;
    default: break;
    }
    if (!is_named) {
        wick_type_text_add(name, "_");
    }
}

bool wick_type_describe_swift_class(wick_type_memory *memory, uintptr_t metadata,
                                    wick_type_text *name) {
    wick_swift_class class;
    uint32_t flags;
    uintptr_t start = metadata - offsetof(wick_swift_class, kind);
    if (!wick_type_read(memory, start, &class, sizeof class) || class.kind != WICK_SWIFT_CLASS ||
        !wick_type_is_in_module(class.destructor) ||
        !wick_type_is_in_module(class.value_witnesses) ||
        !(class.flags & WICK_SWIFT_CLASS_USES_SWIFT_REFERENCE_COUNTS) ||
        class.superclass % sizeof(uintptr_t)) {
        return false;
    }
    // An object has two words of header; metadata ends behind the descriptor at the earliest.
    uint32_t mask = class.instance_alignment_mask;
    if (class.instance_byte_count < 16 || (mask & (mask + 1)) != 0 || class.address_point < 16 ||
        class.byte_count < class.address_point ||
        class.byte_count - class.address_point < sizeof class - offsetof(wick_swift_class, kind)) {
        return false;
    }
    return wick_type_is_in_module(class.descriptor) &&
           wick_type_read(memory, class.descriptor, &flags, sizeof flags) &&
           (flags & WICK_SWIFT_CONTEXT_KIND_MASK) == WICK_SWIFT_CONTEXT_CLASS &&
           wick_swift_add_nominal(
               memory, name, class.descriptor,
               wick_swift_class_arguments(memory, metadata, class.descriptor), 0);
}
