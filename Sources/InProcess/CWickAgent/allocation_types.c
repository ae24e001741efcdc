#include "allocation_types.h"

#include <stddef.h>

uint32_t wick_type_of(uintptr_t word, uint32_t *misses) { (void)word; (void)misses; return 0; }
void wick_types_resolve(wick_type_visitor *named) { (void)named; }
bool wick_types_reset(void) { return true; }
void wick_types_forget_addresses(void) {}
uint64_t wick_types_byte_count(void) { return 0; }
