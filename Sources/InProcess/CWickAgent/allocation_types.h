// What heap objects are, by their first word: the metadata of a Swift object, the virtual table of a
// C++ one. Hooks only note words that they meet; the writer thread finds out later what they are.
//
//   hook    wick_type_of(word) ─► id of the word, known or not yet
//   writer  wick_types_resolve ─► reads behind new words, names them, keeps or drops them
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wick_format.h"

/// HOOK-SAFE (no lock, no allocation, no system call, may nest in a signal's handler): the id of the type
/// whose objects begin with `word`; 0 if it is none, or not worth asking. `misses` is the asker's
/// own: how often words of this stack were unknown, so that the one stack of a C program whose every
/// block begins with another pointer does not fill the table.
uint32_t wick_type_of(uintptr_t word, uint32_t *misses);

/// Called for each word that has become a type: it is given a name here, once.
typedef void wick_type_visitor(uint32_t id, wick_type_kind kind, const char *name);

/// Finds out about the words that hooks have met since. Writer thread only.
void wick_types_resolve(wick_type_visitor *named);

/// Names all types again to `named` from now on: a new recording. Writer thread only; false if memory for the
/// table is refused (then every id is 0).
bool wick_types_reset(void);

/// A module went: words may mean something else. Writer thread only.
void wick_types_forget_addresses(void);

/// Bytes of memory in use.
uint64_t wick_types_byte_count(void);
