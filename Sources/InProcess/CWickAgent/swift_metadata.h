// Layouts of the Swift runtime's metadata on 64-bit Linux, where there is no Objective-C
// (swift/ABI/Metadata.h, swift/ABI/MetadataValues.h; stable since Swift 5).
//
//   metadata  -16          -8                0       8
//             | destructor | value witnesses | kind  | fields of the kind …
//             +- classes --+-----------------+-------+
//
//   context descriptor     0       4        8       12
//                          | flags | parent | name  | fields of the kind …
//
// Pointers of descriptors are 32-bit offsets from where they are; those to other descriptors may
// go to a pointer instead, then the lowest bit is set.
#pragma once

#include <stdint.h>

/// The first word of metadata (swift/ABI/MetadataKind.def).
enum : uintptr_t {
    WICK_SWIFT_CLASS = 0,
    WICK_SWIFT_STRUCT = 0x200,
    WICK_SWIFT_ENUM = 0x201,
    WICK_SWIFT_OPTIONAL = 0x202,
    WICK_SWIFT_FOREIGN_CLASS = 0x203,
    WICK_SWIFT_FOREIGN_REFERENCE = 0x204,
    WICK_SWIFT_TUPLE = 0x301,
    WICK_SWIFT_FUNCTION = 0x302,
    WICK_SWIFT_EXISTENTIAL = 0x303,
    WICK_SWIFT_METATYPE = 0x304,
    WICK_SWIFT_EXISTENTIAL_METATYPE = 0x306,
    WICK_SWIFT_HEAP_LOCAL_VARIABLE = 0x400,
    WICK_SWIFT_HEAP_GENERIC_LOCAL_VARIABLE = 0x500,
    WICK_SWIFT_ERROR_OBJECT = 0x501,
    WICK_SWIFT_TASK = 0x502,
    WICK_SWIFT_JOB = 0x503,
};

typedef struct {
    uintptr_t destructor, value_witnesses, kind, superclass;
    uint32_t flags, instance_address_point, instance_byte_count;
    uint16_t instance_alignment_mask, reserved;
    /// Of the metadata itself: its bytes in all, and those before its address.
    uint32_t byte_count, address_point;
    uintptr_t descriptor;
} wick_swift_class;

_Static_assert(sizeof(wick_swift_class) == 64, "64-bit layout");

/// Bits of `wick_swift_class.flags`: its objects count references as Swift's do.
enum : uint32_t { WICK_SWIFT_CLASS_USES_SWIFT_REFERENCE_COUNTS = 2 };

enum : uint32_t {
    /// Low five bits of a context descriptor's flags.
    WICK_SWIFT_CONTEXT_MODULE = 0,
    WICK_SWIFT_CONTEXT_EXTENSION = 1,
    WICK_SWIFT_CONTEXT_ANONYMOUS = 2,
    WICK_SWIFT_CONTEXT_PROTOCOL = 3,
    WICK_SWIFT_CONTEXT_CLASS = 16,
    WICK_SWIFT_CONTEXT_STRUCT = 17,
    WICK_SWIFT_CONTEXT_ENUM = 18,
    WICK_SWIFT_CONTEXT_KIND_MASK = 31,
    /// A `wick_swift_generic_context` follows the kind's own fields.
    WICK_SWIFT_CONTEXT_IS_GENERIC = 0x80,
    /// Of a class: the members are behind those of a superclass of another library, as many as it
    /// has there; else the class knows where they are.
    WICK_SWIFT_CONTEXT_HAS_RESILIENT_SUPERCLASS = 1u << (16 + 13),
    WICK_SWIFT_CONTEXT_MEMBERS_ARE_NEGATIVE = 1u << (16 + 12),
};

typedef struct {
    uint32_t flags;
    int32_t parent;
    /// A module's, protocol's or type's name; an extension's extended type, mangled.
    int32_t name;
} wick_swift_context;

/// What a class descriptor has at 24.
typedef struct {
    /// Words of the metadata; or, with a resilient superclass, where its bounds are told.
    union {
        uint32_t negative_word_count;
        int32_t resilient_bounds;
    };
    uint32_t positive_word_count, member_count;
} wick_swift_class_bounds;

typedef struct {
    uint16_t parameter_count, requirement_count, key_argument_count, flags;
    /// Then a byte for each parameter, those of the contexts around it first.
} wick_swift_generic_context;

enum : uint16_t {
    WICK_SWIFT_GENERIC_HAS_PACKS = 1,
    WICK_SWIFT_GENERIC_REQUIREMENT_BYTE_COUNT = 12,
};

enum : uint8_t {
    /// Its argument is in the metadata; else requirements say what it is.
    WICK_SWIFT_PARAMETER_HAS_ARGUMENT = 0x80,
    WICK_SWIFT_PARAMETER_KIND_MASK = 0x3f,
    WICK_SWIFT_PARAMETER_TYPE = 0,
    WICK_SWIFT_PARAMETER_PACK = 1,
    WICK_SWIFT_PARAMETER_VALUE = 2,
};

/// Where packs' lengths are among the arguments: a list follows the requirements.
typedef struct {
    uint16_t pack_count, shape_count;
} wick_swift_pack_header;

typedef struct {
    uint16_t kind, argument, shape, unused;
} wick_swift_pack;

/// Bits of function metadata's flags.
enum : uintptr_t {
    WICK_SWIFT_FUNCTION_PARAMETER_COUNT_MASK = 0xffff,
    WICK_SWIFT_FUNCTION_CONVENTION_SHIFT = 16,
    WICK_SWIFT_FUNCTION_THROWS = 1 << 24,
    WICK_SWIFT_FUNCTION_HAS_PARAMETER_FLAGS = 1 << 25,
    WICK_SWIFT_FUNCTION_IS_DIFFERENTIABLE = 1 << 27,
    WICK_SWIFT_FUNCTION_HAS_GLOBAL_ACTOR = 1 << 28,
    WICK_SWIFT_FUNCTION_IS_ASYNC = 1 << 29,
    WICK_SWIFT_FUNCTION_IS_SENDABLE = 1 << 30,
};

/// Bits of existential metadata's flags.
enum : uint32_t {
    WICK_SWIFT_EXISTENTIAL_HAS_SUPERCLASS = 1u << 30,
    WICK_SWIFT_EXISTENTIAL_MAY_BE_VALUE = 1u << 31,
};
