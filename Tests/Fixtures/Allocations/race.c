// Two threads hand blocks to each other through mailboxes, without a lock: what one has allocated,
// the other frees or resizes, and the allocator gives the address to the first again at once. It
// prints
//
//   events E live N bytes B
//
// where N blocks of B bytes altogether are left in the mailboxes; they are never freed.
//
//   race EVENTS [wait]
//
// An event is a malloc, a free or a realloc. All blocks come from `make_block` and `resize_block`.
// EVENTS 0: goes on until standard input ends, and then as above; with no wait before.
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "gate.h"

enum { MAILBOXES = 256, BATCH = 4096 };

typedef struct {
    size_t byte_count;
    uint64_t mark;
} block;

typedef struct {
    uint64_t random, event_count, wanted;
} worker;

static _Atomic(block *) mailboxes[MAILBOXES];
static atomic_bool is_over;

static uint64_t next(worker *self) {
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    return self->random;
}

/// Small blocks, and such as no thread keeps for itself: the other thread gets their addresses.
static size_t draw_size(worker *self) {
    uint64_t draw = next(self);
    return draw & 3 ? 1100 + (draw >> 8) % 3000 : sizeof(block) + (draw >> 8) % 500;
}

static uint64_t mark_of(const block *one) { return (uintptr_t)one ^ one->byte_count * 0x9e3779b9; }

static block *sealed(block *one, size_t byte_count) {
    if (!one) {
        _exit(3);
    }
    one->byte_count = byte_count;
    one->mark = mark_of(one);
    return one;
}

[[clang::noinline]] static block *make_block(size_t byte_count) {
    return sealed(malloc(byte_count), byte_count);
}

[[clang::noinline]] static block *resize_block(block *one, size_t byte_count) {
    return sealed(realloc(one, byte_count), byte_count);
}

static void step(worker *self) {
    uint64_t draw = next(self);
    _Atomic(block *) *from = &mailboxes[draw % MAILBOXES];
    block *one = atomic_exchange(from, NULL);
    if (one && one->mark != mark_of(one)) {
        dprintf(STDOUT_FILENO, "FAILED: a block has changed\n");
        _exit(1);
    }
    self->event_count++;
    if (one && (draw >> 32) % 3 != 0) {
        free(one);
        return;
    }
    size_t byte_count = draw_size(self);
    one = one ? resize_block(one, byte_count) : make_block(byte_count);
    block *displaced = atomic_exchange(&mailboxes[(draw >> 16) % MAILBOXES], one);
    if (displaced) {
        self->event_count++;
        free(displaced);
    }
}

static void *work(void *argument) {
    worker *self = argument;
    while (self->wanted ? self->event_count < self->wanted : !atomic_load(&is_over)) {
        for (int i = 0; i < BATCH; i++) {
            step(self);
        }
    }
    return NULL;
}

int main(int count, char **words) {
    char *end = NULL;
    unsigned long long wanted = count > 1 ? strtoull(words[1], &end, 10) : 0;
    if (!end || *end || end == words[1]) {
        dprintf(STDERR_FILENO, "usage: race EVENTS [wait]\n");
        return 2;
    }
    // One arena: both threads take from and give to the same lists.
    mallopt(M_ARENA_MAX, 1);
    if (wanted) {
        wait_if_asked(count, words, "ready\n");
    }
    worker workers[2] = {{0x853c49e6748fea9b, 0, wanted / 2}, {0xda3e39cb94b95bdb, 0, wanted / 2}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        if (pthread_create(&threads[i], NULL, work, &workers[i])) {
            return 3;
        }
    }
    if (!wanted) {
        wait_if_asked(2, (char *[]){words[0], "wait"}, "running\n");
        atomic_store(&is_over, true);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    unsigned long live = 0, byte_count = 0;
    for (int i = 0; i < MAILBOXES; i++) {
        block *one = atomic_load(&mailboxes[i]);
        if (one) {
            live++;
            byte_count += one->byte_count;
        }
    }
    dprintf(STDOUT_FILENO, "events %lu live %lu bytes %lu\n",
            (unsigned long)(workers[0].event_count + workers[1].event_count), live, byte_count);
    if (wanted) {
        wait_if_asked(count, words, "done\n");
    }
    return 0;
}
