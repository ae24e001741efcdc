#include "inner.h"

static inline int middle(int x, const int *seed) {
    int sum = inner(x + 1, seed);
    return sum ^ x;
}

int outer(int x, const int *seed) {
    int first = middle(x, seed);
    return first + middle(x * 2, seed);
}

int other(int x) {
    return x / 7;
}
