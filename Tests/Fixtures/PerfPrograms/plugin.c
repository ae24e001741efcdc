/* A library that workload.c loads late. */
#include <stdint.h>

uint64_t plugin_state = 1;

/* As in workload.c. */
__attribute__((noipa)) static void keep_frame(void) {
    __asm__ volatile("");
}

__attribute__((noipa)) static uint64_t plugin_leaf(uint64_t state) {
    keep_frame();
    for (int i = 0; i < 100000; i++) {
        state = state * 6364136223846793005u + 1;
        __asm__ volatile("" : "+r"(state));
    }
    return state;
}

void plugin_burn(void) {
    plugin_state += plugin_leaf(plugin_state);
    __asm__ volatile("");
}
