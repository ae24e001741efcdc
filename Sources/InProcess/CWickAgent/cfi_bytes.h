// A bounded reader over mapped bytes: what lies past the end reads as 0 and sets `failed`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *at, *end;
    bool failed;
} wick_bytes;

static inline size_t wick_bytes_left(const wick_bytes *bytes) {
    return (size_t)(bytes->end - bytes->at);
}

static inline const uint8_t *wick_bytes_take(wick_bytes *bytes, uint64_t byte_count) {
    if (byte_count > wick_bytes_left(bytes)) {
        bytes->failed = true;
        bytes->at = bytes->end;
        return NULL;
    }
    const uint8_t *taken = bytes->at;
    bytes->at += byte_count;
    return taken;
}

/// A little-endian integer of 1, 2, 4 or 8 bytes.
static inline uint64_t wick_bytes_unsigned(wick_bytes *bytes, unsigned byte_count) {
    const uint8_t *taken = wick_bytes_take(bytes, byte_count);
    uint64_t value = 0;
    for (unsigned i = 0; taken && i < byte_count; i++) {
        value |= (uint64_t)taken[i] << (8 * i);
    }
    return value;
}

static inline uint8_t wick_bytes_u8(wick_bytes *bytes) {
    if (bytes->at == bytes->end) {
        bytes->failed = true;
        return 0;
    }
    return *bytes->at++;
}

/// LEB128 of at most ten bytes; a longer one fails, as it would cost time and mean nothing.
static inline uint64_t wick_bytes_leb(wick_bytes *bytes, bool sign_extended) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte = wick_bytes_u8(bytes);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80) {
            continue;
        }
        if (sign_extended && (byte & 0x40) && shift < 57) {
            value |= ~UINT64_C(0) << (shift + 7);
        }
        return value;
    }
    bytes->failed = true;
    return 0;
}

static inline uint64_t wick_bytes_uleb(wick_bytes *bytes) {
    return wick_bytes_leb(bytes, false);
}

static inline int64_t wick_bytes_sleb(wick_bytes *bytes) {
    return (int64_t)wick_bytes_leb(bytes, true);
}

/// Cuts the next `byte_count` bytes off as a reader of their own.
static inline wick_bytes wick_bytes_cut(wick_bytes *bytes, uint64_t byte_count) {
    const uint8_t *taken = wick_bytes_take(bytes, byte_count);
    return (wick_bytes){taken, taken ? taken + byte_count : NULL, taken == NULL};
}
