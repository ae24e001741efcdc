// Works on the heap and sleeps, in several threads, until its standard input ends; ends with 1 if a
// block has lost its contents or a sleep was cut short.
//
//   heap THREADS [STACK-BYTES]    with a stack size, only such threads ever wait
//   heap spin                     never waits and ends by SIGTERM
//
// A line on standard input is answered by the longest delay of a sleep since the last, in µs.
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BLOCKS = 64, SLEEP_NS = 1000000 };

static atomic_bool is_over;
static atomic_int failures;

static void fail(const char *what) {
    failures++;
    dprintf(STDOUT_FILENO, "FAILED: %s (errno %d)\n", what, errno);
}
static _Atomic uint64_t longest_ns;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

typedef struct {
    unsigned char *bytes;
    size_t count;
    unsigned char mark;
} block;

static void check(const block *one) {
    for (size_t i = 0; i < one->count; i++) {
        if (one->bytes[i] != one->mark) {
            fail("a block has changed");
            return;
        }
    }
}

static void renew(block *one, unsigned *seed) {
    check(one);
    free(one->bytes);
    one->count = 1 + (size_t)rand_r(seed) % 3000;
    one->mark = (unsigned char)rand_r(seed);
    one->bytes = malloc(one->count);
    memset(one->bytes, one->mark, one->count);
}

static void nap(void) {
    uint64_t begin = now_ns();
    if (nanosleep(&(struct timespec){.tv_nsec = SLEEP_NS}, NULL) != 0) {
        fail("nanosleep was cut short");
    }
    uint64_t slept = now_ns() - begin, longest = atomic_load(&longest_ns);
    if (slept < SLEEP_NS) {
        fail("a sleep was too short");
        return;
    }
    while (slept - SLEEP_NS > longest &&
           !atomic_compare_exchange_weak(&longest_ns, &longest, slept - SLEEP_NS)) {
    }
}

/// Answers what came on standard input; false at its end.
static bool answer(void) {
    char bytes[16];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof(bytes));
    for (ssize_t i = 0; i < count; i++) {
        if (bytes[i] == '\n') {
            dprintf(STDOUT_FILENO, "%lu\n", (unsigned long)(atomic_exchange(&longest_ns, 0) / 1000));
        }
    }
    return count != 0;
}

static void work(unsigned seed, bool is_first, bool naps) {
    block *blocks = calloc(BLOCKS, sizeof(block));
    while (!atomic_load(&is_over)) {
        for (int i = 0; i < BLOCKS; i++) {
            renew(&blocks[rand_r(&seed) % BLOCKS], &seed);
        }
        if (naps) {
            nap();
        }
        if (is_first && !answer()) {
            atomic_store(&is_over, true);
        }
    }
    for (int i = 0; i < BLOCKS; i++) {
        check(&blocks[i]);
        free(blocks[i].bytes);
    }
    free(blocks);
}

static void *main_of_thread(void *seed) {
    work((unsigned)(uintptr_t)seed, false, true);
    return NULL;
}

static void end(int number) {
    (void)number;
    atomic_store(&is_over, true);
}

int main(int count, char **words) {
    if (count < 2) {
        return 2;
    }
    if (strcmp(words[1], "spin") == 0) {
        signal(SIGTERM, end);
        dprintf(STDOUT_FILENO, "ready\n");
        work(1, false, false);
        return failures != 0;
    }
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    int thread_count = atoi(words[1]);
    size_t stack_bytes = count > 2 ? (size_t)atol(words[2]) : 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (stack_bytes && pthread_attr_setstacksize(&attributes, stack_bytes) != 0) {
        return 2;
    }
    pthread_t threads[64];
    for (int i = 1; i < thread_count && i < 64; i++) {
        if (pthread_create(&threads[i], &attributes, main_of_thread, (void *)(uintptr_t)(i + 1))) {
            return 2;
        }
    }
    dprintf(STDOUT_FILENO, "ready\n");
    if (!stack_bytes) {
        work(1, true, true);
    }
    while (!atomic_load(&is_over)) {
        // FUTEX_WAIT: a wait that might be one for a lock.
        syscall(SYS_futex, &failures, FUTEX_WAIT_PRIVATE, 0, &(struct timespec){.tv_nsec = 1000000});
        atomic_store(&is_over, !answer());
    }
    for (int i = 1; i < thread_count && i < 64; i++) {
        pthread_join(threads[i], NULL);
    }
    return failures != 0;
}
