// Swift metadata made by hand, in a circle, then damaged at random: describing it always ends,
// reads nothing that is not there and writes nothing out of bounds (built with AddressSanitizer).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocation_type_names.h"
#include "images.h"
#include "swift_metadata.h"

enum {
    MODULE = 0x100,
    EXTENSION = 0x180,
    DESCRIPTOR = 0x200,
    METADATA = 0x400,
    TUPLE = 0x500,
    FUNCTION = 0x580,
    EXISTENTIAL = 0x600,
    PROTOCOL = 0x640,
    PACK = 0x680,
    NAMES = 0x700,
    BYTE_COUNT = 0x800,
};

/// In the program's data, and so in a module.
static _Alignas(64) uint8_t record[BYTE_COUNT];

static void put32(size_t place, uint32_t value) {
    memcpy(record + place, &value, sizeof value);
}

static void put64(size_t place, uint64_t value) {
    memcpy(record + place, &value, sizeof value);
}

static void put_relative(size_t place, size_t target) {
    put32(place, (uint32_t)(target - place));
}

static uintptr_t at(size_t place) {
    return (uintptr_t)record + place;
}

static void put_context(size_t place, uint32_t flags, size_t parent, const char *name) {
    static size_t next_name = NAMES;
    put32(place, flags);
    if (parent) {
        put_relative(place + 4, parent);
    }
    put_relative(place + 8, next_name);
    strcpy((char *)record + next_name, name);
    next_name += strlen(name) + 1;
}

/// A generic class in an extension, of a type, a pack, a value and a parameter without an argument:
/// itself, (function, protocol) and 7.
static void make(void) {
    put_context(MODULE, WICK_SWIFT_CONTEXT_MODULE, 0, "m");
    put_context(EXTENSION, WICK_SWIFT_CONTEXT_EXTENSION, MODULE, "10Foundation4DataV");
    put_context(PROTOCOL, WICK_SWIFT_CONTEXT_PROTOCOL, MODULE, "P");
    put_context(DESCRIPTOR, WICK_SWIFT_CONTEXT_CLASS | WICK_SWIFT_CONTEXT_IS_GENERIC, EXTENSION,
                "C");
    put32(DESCRIPTOR + 28, 12);
    put32(DESCRIPTOR + 32, 5);
    wick_swift_generic_context generic = {.parameter_count = 4,
                                          .requirement_count = 1,
                                          .key_argument_count = 3,
                                          .flags = WICK_SWIFT_GENERIC_HAS_PACKS};
    memcpy(record + DESCRIPTOR + 52, &generic, sizeof generic);
    memcpy(record + DESCRIPTOR + 60, "\x80\x81\x82\x00", 4);
    put32(DESCRIPTOR + 76, 1 | 1 << 16);
    put32(DESCRIPTOR + 80, 2 << 16);
    wick_swift_class class = {.destructor = at(0), .value_witnesses = at(8), .flags = 2,
                              .instance_byte_count = 16, .instance_alignment_mask = 15,
                              .byte_count = 112, .address_point = 16,
                              .descriptor = at(DESCRIPTOR)};
    memcpy(record + METADATA - 16, &class, sizeof class);
    put64(METADATA + 56, 1);
    put64(METADATA + 64, at(METADATA));
    put64(METADATA + 72, at(PACK) | 1);
    put64(METADATA + 80, 7);
    put64(PACK, at(TUPLE));
    put64(TUPLE, WICK_SWIFT_TUPLE);
    put64(TUPLE + 8, 2);
    put64(TUPLE + 24, at(FUNCTION));
    put64(TUPLE + 40, at(EXISTENTIAL));
    put64(FUNCTION, WICK_SWIFT_FUNCTION);
    put64(FUNCTION + 8, 1 | WICK_SWIFT_FUNCTION_THROWS);
    put64(FUNCTION + 16, at(TUPLE));
    put64(FUNCTION + 24, at(METADATA));
    put64(EXISTENTIAL, WICK_SWIFT_EXISTENTIAL);
    put64(EXISTENTIAL + 8, (uint64_t)1 << 32);
    put64(EXISTENTIAL + 16, at(PROTOCOL));
}

static uint64_t next_random(void) {
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

int main(int count, char **arguments) {
    static wick_type_text name;
    static uint8_t whole[BYTE_COUNT];
    static const uint64_t special[] = {0, 1, 0x7f, 0x80, 0xff, 0x203, 0x306, 0xffffffff, 1u << 31};
    uint64_t mutations = count > 1 ? strtoull(arguments[1], NULL, 10) : 1000, named = 0, cut = 0;
    wick_type_memory memory;
    wick_type_kind kind = 0;
    wick_images_refresh();
    wick_type_memory_open(&memory);
    make();
    memcpy(whole, record, sizeof record);
    bool is_type = wick_type_describe(&memory, at(METADATA), &name, &kind);
    printf("%d %u %.60s\n", is_type, kind, name.bytes);
    for (uint64_t i = 0; i < mutations; i++) {
        for (uint64_t j = next_random() % 4; j < 4; j++) {
            uint64_t random = next_random();
            uint64_t value = random >> 60 < 4 ? special[random % 9] : random >> 60 < 8
                                 ? at((random >> 8) % BYTE_COUNT & ~(uint64_t)7) : random;
            size_t place = (random >> 32) % (BYTE_COUNT - 8);
            size_t byte_count = random >> 58 & 1 ? 8 : random >> 57 & 1 ? 4 : 1;
            memcpy(record + (place & ~(byte_count - 1)), &value, byte_count);
        }
        name.bytes[0] = 0;
        if (wick_type_describe(&memory, at(METADATA), &name, &kind)) {
            named++;
            cut += name.is_cut;
            if (strlen(name.bytes) != name.byte_count || name.byte_count == 0) {
                return 1;
            }
        }
        memcpy(record, whole, sizeof record);
    }
    printf("mutations %" PRIu64 " named %" PRIu64 " cut %" PRIu64 "\n", mutations, named, cut);
    wick_type_memory_close(&memory);
}
