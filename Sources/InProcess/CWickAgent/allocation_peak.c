#include "allocation_peak.h"

wick_peak wick_peak_now = {.number = 1};

void wick_peak_tell(int64_t bytes) {
    int64_t live =
        atomic_fetch_add_explicit(&wick_peak_now.live_bytes, bytes, memory_order_relaxed) + bytes;
    int64_t most = atomic_load_explicit(&wick_peak_now.most_bytes, memory_order_relaxed);
    while (live > most) {
        if (atomic_compare_exchange_weak_explicit(&wick_peak_now.most_bytes, &most, live,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            atomic_fetch_add_explicit(&wick_peak_now.number, 1, memory_order_relaxed);
            return;
        }
    }
}

void wick_peak_reset(void) {
    atomic_store_explicit(&wick_peak_now.live_bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&wick_peak_now.most_bytes, 0, memory_order_relaxed);
    // A new number: no row is at a mark of before.
    atomic_fetch_add_explicit(&wick_peak_now.number, 1, memory_order_relaxed);
}
