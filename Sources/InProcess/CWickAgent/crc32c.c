#include "crc32c.h"

static uint32_t table[256];

static void build_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0x82f63b78u & -(crc & 1));
        }
        table[byte] = crc;
    }
}

uint32_t wick_crc32c(uint32_t crc, const void *bytes, size_t byte_count) {
    if (table[1] == 0) {
        build_table();
    }
    const uint8_t *next = bytes;
    crc = ~crc;
    for (size_t i = 0; i < byte_count; i++) {
        crc = (crc >> 8) ^ table[(crc ^ next[i]) & 0xff];
    }
    return ~crc;
}
