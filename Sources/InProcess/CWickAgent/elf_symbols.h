// Symbols of an ELF file by name, local ones too: what the loader does not know. The file may hold
// anything: what does not fit into it is not there.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Looks `count` names up in .symtab and .dynsym of the file at `path`; sets those of `addresses`
/// that are still 0 to symbol value + `load_bias`. Nothing says that an address is mapped. Reads,
/// does not map: a file that shrinks meanwhile does no harm. Normal threads only.
void wick_elf_find_symbols(const char *path, uintptr_t load_bias, const char *const *names,
                           uintptr_t *addresses, size_t count);
