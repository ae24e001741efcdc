// Says how the agent understands texts of WICK, one a line.
#include <stdio.h>

#include "config.h"

int main(int count, char **texts) {
    for (int i = 1; i < count; i++) {
        wick_config config;
        if (!wick_config_parse(texts[i], &config)) {
            puts("refused");
            continue;
        }
        const wick_options *options = &config.options;
        printf("out=%s hz=%u engine=%u duration=%llu alloc=%llu arc=%d mmap=%d children=%d idle=%d\n",
               options->output ? options->output : "-", options->rate_hz, options->engine,
               (unsigned long long)options->duration_ms,
               (unsigned long long)options->allocation_interval, options->counts_references,
               options->follows_mappings, config.children, config.idle);
    }
    return 0;
}
