// CRC-32C (Castagnoli) as iSCSI uses it: reflected, initial value and final xor 0xffffffff.
// RFC 3720 appendix B.4 gives check values.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Continues a checksum; begin with `wick_crc32c(0, …)`. The result of one call is the `crc` of
/// the next. Normal threads only (builds its table on first use).
uint32_t wick_crc32c(uint32_t crc, const void *bytes, size_t byte_count);
