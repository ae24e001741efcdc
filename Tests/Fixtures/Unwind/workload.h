// Work whose stacks are hard to walk: code without frame pointers on both sides of C callbacks,
// stubs of .plt, the vdso, re-aligned stacks, signal handlers on their own stack.
#pragma once

#include <alloca.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile uint64_t sink;

/// The compiler re-aligns this one's stack, and finds its arguments through a saved pointer.
__attribute__((noinline)) static uint64_t work_aligned(size_t count) {
    volatile uint64_t lanes[8] __attribute__((aligned(64))) = {0};
    volatile uint8_t *bytes = alloca(count % 512 + 16);
    bytes[count % 16] = 1;
    for (size_t i = 0; i < 8; i++) {
        lanes[i] += bytes[i] + count;
    }
    return lanes[3];
}

__attribute__((noinline)) static uint64_t work_leaf(uint64_t seed) {
    static _Thread_local char from[512], to[512];
    char text[64];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    from[seed % sizeof from] = (char)now.tv_nsec;
    memcpy(to, from, seed % sizeof from);
    snprintf(text, sizeof text, "%d %s %g", (int)(seed & 0xffff), "text", (double)(seed & 15));
    return seed * 6364136223846793005u + (uint64_t)strlen(text) + work_aligned(seed % 1000) +
           (uint64_t)to[3];
}

static int work_compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    sink += work_leaf(x + y);
    return (x > y) - (x < y);
}

__attribute__((noinline)) static void work_sort(uint32_t *numbers, size_t count) {
    qsort(numbers, count, sizeof *numbers, work_compare);
    sink += numbers[0];
}

static void work_function(sqlite3_context *context, int count, sqlite3_value **values) {
    (void)count;
    uint32_t numbers[6];
    uint64_t seed = (uint64_t)sqlite3_value_int64(values[0]);
    for (size_t i = 0; i < 6; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        numbers[i] = (uint32_t)(seed >> 33);
    }
    work_sort(numbers, 6);
    sqlite3_result_int64(context, numbers[3] % 1000);
}

static int work_row(void *context, int count, char **values, char **names) {
    (void)count, (void)names;
    *(uint64_t *)context += (uint64_t)atoi(values[0]) + work_leaf((uint64_t)values[0][0]);
    return 0;
}

/// A query that calls back for every row, and whose function sorts with a callback.
static void work_query(sqlite3 *database) {
    uint64_t sum = 0;
    sqlite3_exec(database,
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
                 "SELECT work(i), count(*) FROM n GROUP BY i % 7 ORDER BY 1",
                 work_row, &sum, NULL);
    sink += sum;
}

static sqlite3 *work_open(void) {
    sqlite3 *database = NULL;
    if (sqlite3_open(":memory:", &database) != SQLITE_OK ||
        sqlite3_create_function(database, "work", 1, SQLITE_UTF8, NULL, work_function, NULL,
                                NULL) != SQLITE_OK) {
        fprintf(stderr, "sqlite\n");
        exit(2);
    }
    return database;
}

/// A signal handler with work of its own, on the alternate stack that `work_signal_prepare` set.
static void work_on_signal(int number) {
    uint32_t numbers[] = {(uint32_t)number, 7, 9, 3};
    work_sort(numbers, 4);
}

[[maybe_unused]] static void work_signal_prepare(void) {
    static _Thread_local uint8_t stack[64 << 10];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_handler = work_on_signal, .sa_flags = SA_ONSTACK | SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
}

/// Sorts through a chain of `depth` frames without frame pointers.
__attribute__((noinline)) static uint64_t work_deep(size_t depth, uint64_t seed) {
    uint64_t below = depth > 0 ? work_deep(depth - 1, seed * 3 + 1) : work_leaf(seed);
    return below + work_aligned(depth) + (seed & 1);
}

/// One round of everything.
[[maybe_unused]] static void work_round(sqlite3 *database) {
    work_query(database);
    uint32_t numbers[16];
    for (uint32_t i = 0; i < 16; i++) {
        numbers[i] = (i * 2654435761u) >> 3;
    }
    work_sort(numbers, 16);
    raise(SIGUSR1);
    sink += work_deep(40, sink);
}
