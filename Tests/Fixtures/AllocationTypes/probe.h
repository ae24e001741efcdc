// The agent's finding of types, for programs that know what their objects are.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Finds the program's modules and begins to name types.
void probe_begin(void);

/// Asks about the first word of an object, each time as a stack that has asked nothing before.
uint32_t probe_ask(const void *object);

/// Asks about a word.
uint32_t probe_ask_word(uintptr_t word);

/// Asks about a word, for a stack that has met so many unknown ones.
uint32_t probe_ask_as(uintptr_t word, uint32_t *misses);

/// Finds modules anew, of which some went.
void probe_forget(void);

/// Does what the writer thread does.
void probe_resolve(void);

/// Forgets all names.
void probe_clear(void);

/// What an id was named: "class NAME", "runtime NAME" or "c++ NAME"; "" if it was not.
const char *probe_name(uint32_t id);

#ifdef __cplusplus
}
#endif
