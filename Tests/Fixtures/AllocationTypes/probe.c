#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocation_types.h"
#include "images.h"

enum { ID_LIMIT = 1 << 20 };

static char *names[ID_LIMIT];

static void name_type(uint32_t id, wick_type_kind kind, const char *name) {
    static const char *const kinds[] = {"", "class ", "runtime ", "c++ "};
    if (id == 0 || id >= ID_LIMIT || (names[id] && strcmp(strchr(names[id], ' ') + 1, name) != 0)) {
        fprintf(stderr, "id %u is %s and %s\n", id, id < ID_LIMIT ? names[id] : "too large", name);
        abort();
    }
    char *copy = malloc(strlen(name) + 16);
    strcpy(copy, kinds[kind]);
    strcat(copy, name);
    names[id] = copy;
}

void probe_begin(void) {
    wick_images_refresh();
    if (!wick_types_reset()) {
        abort();
    }
}

uint32_t probe_ask_as(uintptr_t word, uint32_t *misses) {
    return wick_type_of(word, misses);
}

void probe_forget(void) {
    wick_images_refresh();
    if (wick_images_forget()) {
        wick_types_forget_addresses();
    }
}

uint32_t probe_ask_word(uintptr_t word) {
    uint32_t misses = 0;
    return wick_type_of(word, &misses);
}

uint32_t probe_ask(const void *object) {
    uintptr_t word;
    memcpy(&word, object, sizeof word);
    return probe_ask_word(word);
}

void probe_resolve(void) {
    wick_types_resolve(name_type);
}

void probe_clear(void) {
    memset(names, 0, sizeof names);
}

const char *probe_name(uint32_t id) {
    return names[id] ? names[id] : "";
}
