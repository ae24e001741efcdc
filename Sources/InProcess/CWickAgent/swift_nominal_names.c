#include <string.h>

#include "swift_metadata.h"
#include "swift_type_names.h"

enum : size_t {
    IDENTIFIER_LIMIT = 512,
    /// Contexts around a type, and parameters of all of them.
    CONTEXT_LIMIT = 16,
    PARAMETER_LIMIT = 64,
};

/// A type's generic parameters and what they are.
typedef struct {
    size_t count;
    uint8_t parameters[PARAMETER_LIMIT];
    /// Words of the arguments: lengths of packs come first.
    uintptr_t address;
    size_t shape_count;
    /// Where the list of packs is; 0 if there are none.
    uintptr_t packs;
    size_t pack_count;
} arguments;

/// A nominal type that is being named.
typedef struct {
    wick_type_memory *memory;
    wick_type_text *name;
    arguments arguments;
    /// Parameters of the contexts that are named already.
    size_t named;
    unsigned depth;
} naming;

/// Follows the relative pointer that is at `place`; 0 if it is null.
static uintptr_t follow(uintptr_t place, int32_t offset) {
    return offset ? place + (uintptr_t)(intptr_t)offset : 0;
}

/// Follows one that may go to a pointer.
static uintptr_t follow_indirect(wick_type_memory *memory, uintptr_t place, int32_t offset) {
    uintptr_t target = follow(place, offset & ~1);
    if (offset & 1) {
        return wick_type_read_word(memory, target, &target) ? target : 0;
    }
    return target;
}

static bool read_context(wick_type_memory *memory, uintptr_t address, wick_swift_context *context) {
    return address % sizeof(int32_t) == 0 && wick_type_is_in_module(address) &&
           wick_type_read(memory, address, context, sizeof *context);
}

/// Where a context has its generic parameters; 0 if it has none.
static uintptr_t generic_context(uintptr_t address, uint32_t flags) {
    if (!(flags & WICK_SWIFT_CONTEXT_IS_GENERIC)) {
        return 0;
    }
    switch (flags & WICK_SWIFT_CONTEXT_KIND_MASK) {
    // Behind two pointers to what makes instances.
    case WICK_SWIFT_CONTEXT_CLASS: return address + 44 + 8;
    case WICK_SWIFT_CONTEXT_STRUCT:
    case WICK_SWIFT_CONTEXT_ENUM: return address + 28 + 8;
    case WICK_SWIFT_CONTEXT_EXTENSION: return address + 12;
    case WICK_SWIFT_CONTEXT_ANONYMOUS: return address + 8;
    default: return 0;
    }
}

static void read_arguments(wick_type_memory *memory, uintptr_t place, uintptr_t address,
                           arguments *list) {
    wick_swift_generic_context head;
    *list = (arguments){0};
    if (!place || !address || !wick_type_read(memory, place, &head, sizeof head) ||
        head.parameter_count > PARAMETER_LIMIT ||
        !wick_type_read(memory, place + sizeof head, list->parameters, head.parameter_count)) {
        return;
    }
    list->count = head.parameter_count;
    list->address = address;
    if (head.flags & WICK_SWIFT_GENERIC_HAS_PACKS) {
        uintptr_t packs = place + sizeof head + ((head.parameter_count + 3u) & ~3u) +
                          (uintptr_t)head.requirement_count *
                              WICK_SWIFT_GENERIC_REQUIREMENT_BYTE_COUNT;
        wick_swift_pack_header header;
        if (wick_type_read(memory, packs, &header, sizeof header)) {
            list->shape_count = header.shape_count;
            list->packs = packs + sizeof header;
            list->pack_count = header.pack_count;
        }
    }
}

/// Adds the types of a pack, whose length is elsewhere among the arguments.
static void add_pack(const naming *type, size_t place, uintptr_t pack) {
    wick_type_memory *memory = type->memory;
    wick_type_text *name = type->name;
    const arguments *list = &type->arguments;
    for (size_t i = 0; i < list->pack_count && i < PARAMETER_LIMIT; i++) {
        wick_swift_pack entry;
        uintptr_t length;
        if (!wick_type_read(memory, list->packs + i * sizeof entry, &entry, sizeof entry)) {
            break;
        }
        if (entry.argument != place || entry.kind != 0 || entry.shape >= list->shape_count ||
            !wick_type_read_word(memory, list->address + entry.shape * sizeof length, &length)) {
            continue;
        }
        wick_type_text_add(name, "Pack{");
        for (size_t j = 0; j < length && j < PARAMETER_LIMIT; j++) {
            uintptr_t metadata;
            wick_type_text_add(name, j > 0 ? ", " : "");
            // The lowest bit tells packs on the heap.
            bool is_read = wick_type_read_word(memory, (pack & ~(uintptr_t)1) + j * sizeof metadata,
                                               &metadata);
            wick_swift_add_type(memory, name, is_read ? metadata : 0, type->depth + 1);
        }
        wick_type_text_add(name, length > PARAMETER_LIMIT ? ", …}" : "}");
        return;
    }
    wick_type_text_add(name, "_");
}

static void add_value(wick_type_text *name, intptr_t value) {
    char digits[24];
    size_t start = sizeof digits - 1;
    uintptr_t left = value < 0 ? -(uintptr_t)value : (uintptr_t)value;
    digits[start] = 0;
    do {
        digits[--start] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0) {
        digits[--start] = '-';
    }
    wick_type_text_add(name, digits + start);
}

/// Adds the arguments of the parameters from those named already to `end`, if there are any.
static void add_arguments(naming *type, size_t end) {
    const arguments *list = &type->arguments;
    wick_type_text *name = type->name;
    size_t place = list->shape_count, first = type->named;
    for (size_t i = 0; i < end && i < list->count; i++) {
        uint8_t parameter = list->parameters[i];
        bool has_argument = parameter & WICK_SWIFT_PARAMETER_HAS_ARGUMENT;
        size_t own = place;
        place += has_argument;
        if (i < first) {
            continue;
        }
        wick_type_text_add(name, i == first ? "<" : ", ");
        uintptr_t word;
        if (!has_argument ||
            !wick_type_read_word(type->memory, list->address + own * sizeof word, &word)) {
            wick_type_text_add(name, "_");
            continue;
        }
        switch (parameter & WICK_SWIFT_PARAMETER_KIND_MASK) {
        case WICK_SWIFT_PARAMETER_TYPE:
            wick_swift_add_type(type->memory, name, word, type->depth + 1);
            break;
        case WICK_SWIFT_PARAMETER_PACK: add_pack(type, own, word); break;
        case WICK_SWIFT_PARAMETER_VALUE: add_value(name, (intptr_t)word); break;
        default: wick_type_text_add(name, "_"); break;
        }
    }
    if (first < end && first < list->count) {
        wick_type_text_add(name, ">");
    }
}

/// Types of the standard library that manglings write as two letters (docs/ABI/Mangling.rst,
/// "Substitutions").
static const char *standard_type(char letter) {
    static const struct {
        char letter;
        const char *name;
    } types[] = {
        {'A', "Swift.AutoreleasingUnsafeMutablePointer"},
        {'a', "Swift.Array"},
        {'b', "Swift.Bool"},
        {'D', "Swift.Dictionary"},
        {'d', "Swift.Double"},
        {'f', "Swift.Float"},
        {'h', "Swift.Set"},
        {'I', "Swift.DefaultIndices"},
        {'i', "Swift.Int"},
        {'J', "Swift.Character"},
        {'N', "Swift.ClosedRange"},
        {'n', "Swift.Range"},
        {'O', "Swift.ObjectIdentifier"},
        {'P', "Swift.UnsafePointer"},
        {'p', "Swift.UnsafeMutablePointer"},
        {'q', "Swift.Optional"},
        {'R', "Swift.UnsafeBufferPointer"},
        {'r', "Swift.UnsafeMutableBufferPointer"},
        {'S', "Swift.String"},
        {'s', "Swift.Substring"},
        {'u', "Swift.UInt"},
        {'V', "Swift.UnsafeRawPointer"},
        {'v', "Swift.UnsafeMutableRawPointer"},
        {'W', "Swift.UnsafeRawBufferPointer"},
        {'w', "Swift.UnsafeMutableRawBufferPointer"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].letter == letter) {
            return types[i].name;
        }
    }
    return NULL;
}

/// Adds the identifiers that a mangling begins with, as "10Foundation4DataV"; false if none.
static bool add_identifiers(wick_type_text *name, const char *mangled, bool has_module) {
    bool any = false;
    while (*mangled >= '1' && *mangled <= '9') {
        size_t length = 0;
        while (*mangled >= '0' && *mangled <= '9' && length < IDENTIFIER_LIMIT) {
            length = length * 10 + (size_t)(*mangled++ - '0');
        }
        char identifier[IDENTIFIER_LIMIT];
        if (length == 0 || length >= sizeof identifier || strnlen(mangled, length) < length) {
            break;
        }
        memcpy(identifier, mangled, length);
        identifier[length] = 0;
        wick_type_text_add(name, any || has_module ? "." : "");
        wick_type_text_add(name, identifier);
        any = true;
        mangled += length;
        // A structure, class or enumeration; a module has no letter.
        mangled += *mangled && strchr("VCO", *mangled) ? 1 : 0;
    }
    return any;
}

static bool add_contexts(naming *type, uintptr_t descriptor, size_t limit);

/// Adds the type that an extension extends, of which the mangled name at `place` begins with a
/// reference to its descriptor, a standard type or identifiers.
static void add_extended(naming *type, uintptr_t place, size_t limit) {
    wick_type_memory *memory = type->memory;
    wick_type_text *name = type->name;
    uint8_t first = 0;
    int32_t offset;
    if (place && wick_type_read(memory, place, &first, sizeof first) &&
        (first == 1 || first == 2) &&
        wick_type_read(memory, place + 1, &offset, sizeof offset)) {
        uintptr_t descriptor = follow(place + 1, offset);
        if (first == 2 && !wick_type_read_word(memory, descriptor, &descriptor)) {
            descriptor = 0;
        }
        if (add_contexts(type, descriptor, limit)) {
            return;
        }
    }
    char mangled[IDENTIFIER_LIMIT] = "";
    // References to other types may follow, in bytes that no text has: what is before them counts.
    for (size_t i = 0; place && i < sizeof mangled - 1; i++) {
        uint8_t byte;
        if (!wick_type_read(memory, place + i, &byte, sizeof byte) || byte < ' ') {
            break;
        }
        mangled[i] = (char)byte;
    }
    const char *standard = mangled[0] == 'S' ? standard_type(mangled[1]) : NULL;
    if (standard) {
        wick_type_text_add(name, standard);
    } else if (mangled[0] == 's') {
        wick_type_text_add(name, "Swift");
        add_identifiers(name, mangled + 1, true);
    } else if (mangled[0] == 'S' && mangled[1] == 'o') {
        wick_type_text_add(name, "__C");
        add_identifiers(name, mangled + 2, true);
    } else if (!add_identifiers(name, mangled, false)) {
        wick_type_text_add(name, "_");
    }
}

/// Adds the identifier of a module, type or protocol; false if it cannot be read.
static bool add_identifier(naming *type, uintptr_t place, bool is_nested) {
    char identifier[IDENTIFIER_LIMIT];
    if (!wick_type_is_in_module(place) ||
        wick_type_read_string(type->memory, place, identifier, sizeof identifier) == 0) {
        return false;
    }
    wick_type_text_add(type->name, is_nested ? "." : "");
    wick_type_text_add(type->name, identifier);
    return true;
}

/// Adds a context and those that it is in, of which `limit` may be left, from the module on.
static bool add_contexts(naming *type, uintptr_t descriptor, size_t limit) {
    wick_swift_context context;
    if (limit == 0 || !read_context(type->memory, descriptor, &context)) {
        return false;
    }
    uint32_t kind = context.flags & WICK_SWIFT_CONTEXT_KIND_MASK;
    uintptr_t parent = follow_indirect(
        type->memory, descriptor + offsetof(wick_swift_context, parent), context.parent);
    uintptr_t place = follow(descriptor + offsetof(wick_swift_context, name), context.name);
    switch (kind) {
    case WICK_SWIFT_CONTEXT_MODULE:
        return !parent && add_identifier(type, place, false);
    case WICK_SWIFT_CONTEXT_EXTENSION:
        // Its parent is the module that it is in, not the type's.
        add_extended(type, place, limit - 1);
        break;
    case WICK_SWIFT_CONTEXT_ANONYMOUS:
        if (!add_contexts(type, parent, limit - 1)) {
            return false;
        }
        break;
    case WICK_SWIFT_CONTEXT_PROTOCOL:
    case WICK_SWIFT_CONTEXT_CLASS:
    case WICK_SWIFT_CONTEXT_STRUCT:
    case WICK_SWIFT_CONTEXT_ENUM:
        if (!add_contexts(type, parent, limit - 1) || !add_identifier(type, place, true)) {
            return false;
        }
        break;
    default: return false;
    }
    // Each context says how many parameters there are up to it; those of a function are not shown.
    wick_swift_generic_context head;
    uintptr_t generic = generic_context(descriptor, context.flags);
    if (generic && wick_type_read(type->memory, generic, &head, sizeof head)) {
        if (kind != WICK_SWIFT_CONTEXT_ANONYMOUS) {
            add_arguments(type, head.parameter_count);
        }
        type->named = head.parameter_count > type->named ? head.parameter_count : type->named;
    }
    return true;
}

bool wick_swift_add_nominal(wick_type_memory *memory, wick_type_text *name, uintptr_t descriptor,
                            uintptr_t arguments, unsigned depth) {
    naming type = {.memory = memory, .name = name, .depth = depth};
    size_t start = name->byte_count;
    wick_swift_context context;
    // A module is no type, nor are the others that have no name of their own.
    if (read_context(memory, descriptor, &context) &&
        (context.flags & WICK_SWIFT_CONTEXT_KIND_MASK) >= WICK_SWIFT_CONTEXT_PROTOCOL) {
        read_arguments(memory, generic_context(descriptor, context.flags), arguments,
                       &type.arguments);
        if (add_contexts(&type, descriptor, CONTEXT_LIMIT)) {
            return true;
        }
    }
    name->byte_count = start;
    name->bytes[start] = 0;
    return false;
}
