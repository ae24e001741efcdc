#include "schedule.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

/*
 * The golden ratio in milliseconds: no usual sampling period (1, 10, 10.1 ms, a 4 ms tick) is near
 * a multiple of it or of a simple fraction of it, so regular sampling hits all parts of a round
 * alike and its error shrinks with the number of samples, not only with its root.
 */
static const uint64_t round_ns = 1618034;

static const uint64_t sleep_ns = 1000000;

/* A slot shorter than this is left for the next round: the clock read would be too large a part. */
static const int64_t least_slot_ns = 10000;

int64_t wick_now_ns(int clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

struct pace {
    double unit_ns[WICK_LEAVES]; /* what one unit of a leaf costs, learned while running */
    uint64_t state;
    int64_t clock_ns; /* the thread's CPU clock at the end of the last slot */
};

/* Runs one leaf for about `slot_ns` of CPU time and returns how much it was. */
__attribute__((noinline)) static int64_t run_slot(struct pace *pace, int leaf, int64_t slot_ns) {
    uint64_t units = 1 + (uint64_t)((double)slot_ns / pace->unit_ns[leaf]);
    pace->state = wick_descend(leaf, units, pace->state);
    int64_t now = wick_now_ns(CLOCK_THREAD_CPUTIME_ID);
    int64_t spent = now - pace->clock_ns;
    pace->clock_ns = now;
    pace->unit_ns[leaf] += ((double)spent / (double)units - pace->unit_ns[leaf]) / 8;
    return spent;
}

void *wick_run_schedule(void *argument) {
    struct wick_schedule *schedule = argument;
    pthread_setname_np(pthread_self(), schedule->name);
    schedule->tid = gettid();
    struct pace pace = {
        .unit_ns = {100, 100, 100},
        .state = (uint64_t)schedule->tid,
        .clock_ns = wick_now_ns(CLOCK_THREAD_CPUTIME_ID),
    };
    uint64_t awake_ns = 0;
    for (uint64_t round = 1; wick_now_ns(CLOCK_MONOTONIC) < schedule->end_ns; round++) {
        for (int leaf = 0; leaf < WICK_LEAVES; leaf++) {
            double due = wick_leaves[leaf].share * (double)(round * round_ns);
            int64_t lacking = (int64_t)due - (int64_t)schedule->leaf_ns[leaf];
            while (lacking >= least_slot_ns) {
                int64_t slot_ns = lacking;
                if (schedule->burst_ns != 0) {
                    int64_t awake_left = (int64_t)(schedule->burst_ns - awake_ns);
                    slot_ns = awake_left < slot_ns ? awake_left : slot_ns;
                }
                int64_t spent = run_slot(&pace, leaf, slot_ns);
                schedule->leaf_ns[leaf] += (uint64_t)spent;
                awake_ns += (uint64_t)spent;
                lacking -= spent;
                if (schedule->burst_ns != 0 && awake_ns + least_slot_ns > schedule->burst_ns) {
                    awake_ns = 0;
                    nanosleep(&(struct timespec){.tv_nsec = sleep_ns}, NULL);
                    pace.clock_ns = wick_now_ns(CLOCK_THREAD_CPUTIME_ID);
                }
            }
        }
    }
    schedule->cpu_ns = (uint64_t)wick_now_ns(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}
