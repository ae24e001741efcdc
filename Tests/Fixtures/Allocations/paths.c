// Allocates once a round in each of 2^DEPTH stacks, which differ in which of two functions calls which: as many
// bytes as the number of the stack, whose lowest bit is the outermost call's (1 is right_turn), and one. The
// first round's blocks are kept, the others freed.
//
//   paths DEPTH ROUNDS THREADS
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

static unsigned depth, rounds;

__attribute__((noinline)) static void leaf(unsigned path, int keeps) {
    void *volatile block = malloc(path + 1);
    if (!keeps) {
        free(block);
    }
}

static void left_turn(unsigned path, unsigned turn, int keeps);
static void right_turn(unsigned path, unsigned turn, int keeps);

__attribute__((always_inline)) static inline void go_on(unsigned path, unsigned turn, int keeps) {
    if (turn == depth) {
        leaf(path, keeps);
    } else if (path >> turn & 1) {
        right_turn(path, turn + 1, keeps);
    } else {
        left_turn(path, turn + 1, keeps);
    }
}

__attribute__((noinline)) static void right_turn(unsigned path, unsigned turn, int keeps) {
    go_on(path, turn, keeps);
}

__attribute__((noinline)) static void left_turn(unsigned path, unsigned turn, int keeps) {
    go_on(path, turn, keeps);
}

static void *walk_all(void *unused) {
    (void)unused;
    for (unsigned round = 0; round < rounds; round++) {
        for (uint64_t path = 0; path < UINT64_C(1) << depth; path++) {
            // Not in order, and each once.
            left_turn((unsigned)(path * 0x9e3779b1u) & ((1u << depth) - 1), 0, round == 0);
        }
    }
    return NULL;
}

int main(int count, char **words) {
    if (count < 4) {
        return 2;
    }
    depth = (unsigned)atoi(words[1]);
    rounds = (unsigned)atoi(words[2]);
    int threads = atoi(words[3]);
    pthread_t all[16];
    for (int i = 0; i < threads && i < 16; i++) {
        pthread_create(&all[i], NULL, walk_all, NULL);
    }
    for (int i = 0; i < threads && i < 16; i++) {
        pthread_join(all[i], NULL);
    }
    return 0;
}
