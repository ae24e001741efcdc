// A library that allocates while it is loaded and frees while it is unloaded.
#include <stdlib.h>
#include <string.h>

static char *text;

[[gnu::constructor]] static void load(void) { text = strdup("loaded"); }

[[gnu::destructor]] static void unload(void) {
    free(text);
    text = NULL;
}

/// Gives `n` bytes that the caller frees, or NULL.
void *plugin_allocate(size_t n) { return text ? malloc(n) : NULL; }
