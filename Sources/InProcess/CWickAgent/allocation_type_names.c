#include "allocation_type_names.h"

#include <string.h>

#include "swift_metadata.h"

void wick_type_text_add(wick_type_text *text, const char *string) {
    // Room is left for the mark of a cut and the terminator.
    static const char mark[] = "…";
    if (text->is_cut) {
        return;
    }
    size_t room = WICK_TYPE_NAME_LIMIT - sizeof mark - text->byte_count;
    size_t length = strlen(string);
    if (length > room) {
        // Not within a UTF-8 character.
        for (length = room; length > 0 && ((uint8_t)string[length] & 0xc0) == 0x80;) {
            length--;
        }
        text->is_cut = true;
    }
    memcpy(text->bytes + text->byte_count, string, length);
    text->byte_count += length;
    if (text->is_cut) {
        memcpy(text->bytes + text->byte_count, mark, sizeof mark - 1);
        text->byte_count += sizeof mark - 1;
    }
    text->bytes[text->byte_count] = 0;
}

/// What is around the address that objects point to: two words before it and the one at it.
typedef struct {
    uintptr_t words[3];
} surroundings;

/// Kinds of heap objects that are not of a type. Their records are the runtime's or the compiler's
/// constants, but for boxes of generic variables.
static const struct {
    uintptr_t kind;
    bool is_constant;
    const char *name;
} runtime_kinds[] = {
    {WICK_SWIFT_HEAP_LOCAL_VARIABLE, true, "closure context"},
    {WICK_SWIFT_HEAP_GENERIC_LOCAL_VARIABLE, false, "box"},
    {WICK_SWIFT_ERROR_OBJECT, true, "error box"},
    {WICK_SWIFT_TASK, true, "task"},
    {WICK_SWIFT_JOB, true, "job"},
};

static const char *runtime_name(uintptr_t word, const surroundings *around) {
    uintptr_t destructor = around->words[0], witnesses = around->words[1];
    if (!wick_type_is_in_module(destructor) || (witnesses && !wick_type_is_in_module(witnesses))) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof runtime_kinds / sizeof *runtime_kinds; i++) {
        if (around->words[2] == runtime_kinds[i].kind &&
            (!runtime_kinds[i].is_constant || wick_type_is_in_module(word))) {
            return runtime_kinds[i].name;
        }
    }
    return NULL;
}

/// Reads the two words of a type_info: its virtual table and its name (Itanium C++ ABI §2.9.5).
static bool read_type_info(wick_type_memory *memory, uintptr_t address, uintptr_t *table,
                           char *name, size_t limit) {
    uintptr_t words[2];
    if (address % sizeof(uintptr_t) || !wick_type_is_in_module(address) ||
        !wick_type_read(memory, address, words, sizeof words) ||
        !wick_type_is_in_module(words[0]) || !wick_type_is_in_module(words[1])) {
        return false;
    }
    *table = words[0];
    return wick_type_read_string(memory, words[1], name, limit) > 0;
}

/// Whether a type_info's own class is one of those for classes: of nothing else are there objects
/// with virtual functions, and a word that points to such a chain by chance is not to be feared.
static bool describes_class(wick_type_memory *memory, uintptr_t table) {
    static const char *const names[] = {
        "N10__cxxabiv117__class_type_infoE",
        "N10__cxxabiv120__si_class_type_infoE",
        "N10__cxxabiv121__vmi_class_type_infoE",
    };
    uintptr_t type_info, ignored;
    char name[sizeof "N10__cxxabiv121__vmi_class_type_infoE" + 1];
    if (!wick_type_read_word(memory, table - sizeof(uintptr_t), &type_info) ||
        !read_type_info(memory, type_info, &ignored, name, sizeof name)) {
        return false;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/// `word` is the address point of a virtual table: before it are the type_info and the offset to
/// the top of the object, 0 in the table that the object's first word points to (§2.5.2).
static bool describe_cpp_class(wick_type_memory *memory, uintptr_t word,
                               const surroundings *around, wick_type_text *name) {
    uintptr_t table;
    if (around->words[0] != 0 || !wick_type_is_in_module(word) ||
        !read_type_info(memory, around->words[1], &table, name->bytes, sizeof name->bytes) ||
        !describes_class(memory, table)) {
        return false;
    }
    // GCC marks names of which there may be several that differ; type_info::name() skips it too.
    const char *start = name->bytes + (name->bytes[0] == '*');
    bool is_class = (*start >= '1' && *start <= '9') || (*start && strchr("NSZ", *start));
    name->byte_count = strlen(start);
    memmove(name->bytes, start, name->byte_count + 1);
    return is_class;
}

bool wick_type_describe(wick_type_memory *memory, uintptr_t word, wick_type_text *name,
                        wick_type_kind *kind) {
    surroundings around;
    name->byte_count = 0;
    name->is_cut = false;
    wick_type_memory_renew(memory);
    if (!wick_type_read(memory, word - 2 * sizeof(uintptr_t), &around, sizeof around)) {
        return false;
    }
    if (around.words[2] == 0 && wick_type_describe_swift_class(memory, word, name)) {
        *kind = WICK_TYPE_SWIFT_CLASS;
        return true;
    }
    const char *runtime = runtime_name(word, &around);
    if (runtime) {
        wick_type_text_add(name, runtime);
        *kind = WICK_TYPE_SWIFT_RUNTIME;
        return true;
    }
    *kind = WICK_TYPE_CPP_CLASS;
    return describe_cpp_class(memory, word, &around, name);
}
