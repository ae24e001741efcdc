static inline int inner(int x, const int *seed) {
    return x * 3 + seed[x & 7];
}
