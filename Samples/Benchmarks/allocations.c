// What `WickBenchmarks allocations` runs under each tool: threads that each keep 1024 blocks and in
// stacks of many shapes, replace eight of them at a time by new ones. Prints one line:
//
//   wick-allocations WALL-NS CPU-NS HIGH-WATER-KIB SECONDS
//
// nanoseconds per malloc/free pair of a thread, wall and CPU time, mean of the threads, less what
// the same loop takes without malloc; the process's greatest resident size; how long it all took.
//
//   allocations THREADS PAIRS [wait|one]
//
// PAIRS are those of each thread. With "wait" the threads go on by themselves, unmeasured, after "ready" was
// printed; each byte on standard input has them measured once, and its end ends them. With "one" there is one
// stack, of 20 frames.
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOTS = 1024,
    PAIRS_PER_VISIT = 8,
    // Stacks: 64 paths of ten depths, the shortest of 15 frames with those above and malloc.
    PATHS = 64,
    DEPTHS = 10,
    SHORTEST = 8,
    // With "one".
    ONLY_PATH = 21,
    ONLY_DEPTH = 5,
    // Each stack has its own.
    SIZES = PATHS * DEPTHS * PAIRS_PER_VISIT,
    MOST_THREADS = 16,
};

typedef struct worker worker;
typedef void leaf(worker *self);

struct worker {
    pthread_t thread;
    uint64_t random, pair_count;
    leaf *leaf;
    const uint16_t *sizes;
    void *slots[SLOTS];
    double wall_ns, cpu_ns;
};

static uint16_t sizes[SIZES];
static bool has_one_stack;
/// How often the threads were asked to be measured; or, once more, to end.
static atomic_uint asked_count;
/// Written before the barrier.
static bool is_over;
static pthread_barrier_t begin, end;

static uint64_t next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/// 16 to 4096 bytes, each power of two about as often as any other: 575 in the mean.
static void draw_sizes(void) {
    static const unsigned char exponents[16] = {4, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11};
    uint64_t state = 0x9e3779b97f4a7c15;
    for (int i = 0; i < SIZES; i++) {
        uint64_t draw = next(&state);
        unsigned least = 1u << exponents[draw & 15];
        sizes[i] = (uint16_t)(least + least / 8 * ((draw >> 8) % 9));
    }
}

[[clang::noinline]] static void replace_blocks(worker *self) {
    for (int i = 0; i < PAIRS_PER_VISIT; i++) {
        void **slot = &self->slots[next(&self->random) % SLOTS];
        free(*slot);
        *slot = malloc(self->sizes[i]);
        // Its first cache line is used.
        *(volatile char *)*slot = 1;
    }
}

/// The same without malloc.
[[clang::noinline]] static void replace_nothing(worker *self) {
    static char block;
    for (int i = 0; i < PAIRS_PER_VISIT; i++) {
        void **slot = &self->slots[next(&self->random) % SLOTS];
        *slot = &block + (self->sizes[i] & 0);
        *(volatile char *)*slot = 1;
    }
}

[[clang::noinline]] static void left(worker *self, unsigned path, unsigned depth);

[[clang::noinline]] static void right(worker *self, unsigned path, unsigned depth) {
    if (depth == 0) {
        self->leaf(self);
    } else if (path & 1) {
        left(self, path >> 1, depth - 1);
    } else {
        right(self, path >> 1, depth - 1);
    }
}

[[clang::noinline]] static void left(worker *self, unsigned path, unsigned depth) {
    if (depth == 0) {
        self->leaf(self);
    } else if (path & 1) {
        left(self, path >> 1, depth - 1);
    } else {
        right(self, path >> 1, depth - 1);
    }
}

[[clang::noinline]] static void visit(worker *self, leaf *function) {
    self->leaf = function;
    uint64_t draw = next(&self->random);
    unsigned path = has_one_stack ? ONLY_PATH : draw % PATHS;
    unsigned depth = has_one_stack ? ONLY_DEPTH : (unsigned)(draw >> 32) % DEPTHS;
    self->sizes = &sizes[(path * DEPTHS + depth) * PAIRS_PER_VISIT];
    left(self, path, SHORTEST + depth);
}

static double now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/// Adds what `visit_count` visits take, `sign` times.
static void measure(worker *self, leaf *function, uint64_t visit_count, double sign) {
    double wall = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint64_t i = 0; i < visit_count; i++) {
        visit(self, function);
    }
    double pairs = (double)(visit_count * PAIRS_PER_VISIT);
    self->wall_ns += sign * (now_ns(CLOCK_MONOTONIC) - wall) / pairs;
    self->cpu_ns += sign * (now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu) / pairs;
}

static void *work(void *argument) {
    worker *self = argument;
    uint64_t visit_count = self->pair_count / PAIRS_PER_VISIT;
    measure(self, replace_nothing, visit_count / 4 + 1, -1);
    double idle_wall_ns = self->wall_ns, idle_cpu_ns = self->cpu_ns;
    memset(self->slots, 0, sizeof(self->slots));
    for (unsigned round = 1;; round++) {
        // All slots filled, all stacks seen.
        for (uint64_t i = 0; i < visit_count / 20 || atomic_load(&asked_count) < round; i++) {
            visit(self, replace_blocks);
        }
        pthread_barrier_wait(&begin);
        if (is_over) {
            break;
        }
        self->wall_ns = idle_wall_ns;
        self->cpu_ns = idle_cpu_ns;
        measure(self, replace_blocks, visit_count, 1);
        pthread_barrier_wait(&end);
    }
    for (int i = 0; i < SLOTS; i++) {
        free(self->slots[i]);
    }
    return NULL;
}

/// VmHWM of /proc/self/status.
static long high_water_kib(void) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "VmHWM: %ld", &kib) == 1) {
            break;
        }
    }
    if (file) {
        fclose(file);
    }
    return kib;
}

int main(int count, char **words) {
    int thread_count = count > 2 ? atoi(words[1]) : 0;
    long long pair_count = count > 2 ? atoll(words[2]) : 0;
    if (thread_count < 1 || thread_count > MOST_THREADS || pair_count < PAIRS_PER_VISIT) {
        fprintf(stderr, "usage: allocations THREADS PAIRS [wait|one]\n");
        return 2;
    }
    bool waits = count > 3 && strcmp(words[3], "wait") == 0;
    has_one_stack = count > 3 && strcmp(words[3], "one") == 0;
    draw_sizes();
    pthread_barrier_init(&begin, NULL, (unsigned)thread_count + 1);
    pthread_barrier_init(&end, NULL, (unsigned)thread_count + 1);
    double start = now_ns(CLOCK_MONOTONIC);
    static worker workers[MOST_THREADS];
    for (int i = 0; i < thread_count; i++) {
        workers[i].random = 0x853c49e6748fea9b + (uint64_t)i * 0x2545f4914f6cdd1d;
        workers[i].pair_count = (uint64_t)pair_count;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
            return 3;
        }
    }
    if (waits && write(STDOUT_FILENO, "ready\n", 6) < 0) {
        return 3;
    }
    char byte;
    for (int round = 0; waits ? read(STDIN_FILENO, &byte, 1) > 0 : round == 0; round++) {
        atomic_fetch_add(&asked_count, 1);
        pthread_barrier_wait(&begin);
        pthread_barrier_wait(&end);
        double wall_ns = 0, cpu_ns = 0;
        for (int i = 0; i < thread_count; i++) {
            wall_ns += workers[i].wall_ns / thread_count;
            cpu_ns += workers[i].cpu_ns / thread_count;
        }
        printf("wick-allocations %.3f %.3f %ld %.3f\n", wall_ns, cpu_ns, high_water_kib(),
               (now_ns(CLOCK_MONOTONIC) - start) / 1e9);
        fflush(stdout);
    }
    is_over = true;
    atomic_fetch_add(&asked_count, 1);
    pthread_barrier_wait(&begin);
    for (int i = 0; i < thread_count; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    return 0;
}
