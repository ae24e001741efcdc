// The arithmetic of choosing by chance, without libm. Every result is as exact as a double is long, to
// about eight digits.
#pragma once

#include <stdint.h>

#include "allocation_counts.h"

/// Natural logarithm of a positive number.
static inline double wick_odds_log(double number) {
    union {
        double value;
        uint64_t bits;
    } parts = {number};
    int64_t exponent = (int64_t)(parts.bits >> 52) - 1023;
    parts.bits = (parts.bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1023) << 52;
    if (parts.value > 1.4142135623730951) {
        parts.value /= 2;
        exponent++;
    }
    // 2 artanh(t), |t| ≤ 0.172.
    double t = (parts.value - 1) / (parts.value + 1), square = t * t;
    double sum = 1 + square * (1. / 3 + square * (1. / 5 + square * (1. / 7 + square * (1. / 9))));
    return (double)exponent * 0.6931471805599453 + 2 * t * sum;
}

/// Bytes to the next chosen one: exponentially distributed with this mean.
static inline uint64_t wick_odds_step(uint64_t *random, uint64_t mean) {
    // xorshift64*, whose upper bits are the good ones.
    uint64_t x = *random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *random = x ? x : 1;
    uint64_t bits = (x * 0x2545f4914f6cdd1du) >> 11;
    return (uint64_t)(-wick_odds_log(((double)bits + 0.5) * 0x1p-53) * (double)mean);
}

/// 1 / (1 − e^−((size + 1) / mean)), in 2⁻¹⁶.
static inline uint64_t wick_odds_weight(uint64_t size, uint64_t mean) {
    double x = ((double)size + 1) / (double)mean, weight;
    if (x < 0.05) {
        weight = 1 / x + 0.5 + x / 12 - x * x * x / 720;
    } else if (x > 40) {
        weight = 1;
    } else {
        // (e^−(x/1024))^1024
        double y = x / 1024;
        double power = 1 - y * (1 - y / 2 * (1 - y / 3 * (1 - y / 4)));
        for (int i = 0; i < 10; i++) {
            power *= power;
        }
        weight = 1 / (1 - power);
    }
    return (uint64_t)(weight * (1 << WICK_COUNT_FRACTION_BITS) + 0.5);
}
