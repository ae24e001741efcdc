#include "config.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

/// Reads decimal digits up to `end`; false if there are none, others, or too many.
static bool parse_number(const char *text, const char *end, uint64_t maximum, uint64_t *number) {
    if (text == end) {
        return false;
    }
    uint64_t value = 0;
    for (; text != end; text++) {
        if (*text < '0' || *text > '9' || value > maximum / 10) {
            return false;
        }
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *number = value;
    return value <= maximum;
}

/// Reads a number of bytes, which may end in k, m or g for KiB, MiB or GiB.
static bool parse_bytes(const char *text, const char *end, uint64_t maximum, uint64_t *bytes) {
    static const char units[] = "kmg";
    const char *unit = text == end ? NULL : memchr(units, end[-1] | 0x20, sizeof(units) - 1);
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    if (!parse_number(text, unit ? end - 1 : end, maximum >> shift, bytes)) {
        return false;
    }
    *bytes <<= shift;
    return true;
}

static bool equals(const char *text, const char *end, const char *word) {
    return (size_t)(end - text) == strlen(word) && memcmp(text, word, (size_t)(end - text)) == 0;
}

static bool parse_engine(const char *text, const char *end, wick_engine_choice *engine) {
    static const struct {
        const char *name;
        wick_engine_choice engine;
    } engines[] = {{"auto", WICK_CHOOSE_BEST},
                   {"perf", WICK_CHOOSE_PERF},
                   {"perf-signal", WICK_CHOOSE_PERF_SIGNAL},
                   {"timer", WICK_CHOOSE_TIMER},
                   {"setitimer", WICK_CHOOSE_PROCESS_TIMER}};
    for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
        if (equals(text, end, engines[i].name)) {
            *engine = engines[i].engine;
            return true;
        }
    }
    return false;
}

static bool parse_switch(const char *text, const char *end, bool *is_on) {
    *is_on = equals(text, end, "on");
    return *is_on || equals(text, end, "off");
}

static bool parse_allocations(const char *text, const char *end, uint64_t *interval) {
    bool is_on;
    if (parse_switch(text, end, &is_on)) {
        *interval = is_on ? WICK_ALLOCATION_DEFAULT_BYTES : 0;
        return true;
    }
    if (equals(text, end, "all")) {
        *interval = WICK_ALLOCATION_EVERY;
        return true;
    }
    return parse_bytes(text, end, WICK_ALLOCATION_MAXIMUM_BYTES, interval) && *interval > 0;
}

static bool parse_part(const char *key, const char *key_end, const char *value, const char *end,
                       wick_config *config) {
    uint64_t number;
    if (equals(key, key_end, "out")) {
        size_t length = (size_t)(end - value);
        if (length == 0 || length >= sizeof(config->output)) {
            return false;
        }
        memcpy(config->output, value, length);
        config->output[length] = 0;
        config->options.output = config->output;
        return true;
    }
    if (equals(key, key_end, "hz")) {
        if (!parse_number(value, end, WICK_RATE_MAXIMUM_HZ, &number) || number == 0) {
            return false;
        }
        config->options.rate_hz = (uint32_t)number;
        return true;
    }
    if (equals(key, key_end, "engine")) {
        return parse_engine(value, end, &config->options.engine);
    }
    if (equals(key, key_end, "duration")) {
        if (!parse_number(value, end, UINT32_MAX, &number) || number == 0) {
            return false;
        }
        config->options.duration_ms = number * 1000;
        return true;
    }
    if (equals(key, key_end, "children")) {
        return parse_switch(value, end, &config->children);
    }
    if (equals(key, key_end, "alloc")) {
        return parse_allocations(value, end, &config->options.allocation_interval);
    }
    if (equals(key, key_end, "arc")) {
        return parse_switch(value, end, &config->options.counts_references);
    }
    if (equals(key, key_end, "mmap")) {
        return parse_switch(value, end, &config->options.follows_mappings);
    }
    return false;
}

bool wick_config_parse(const char *text, wick_config *config) {
    *config = (wick_config){.children = true};
    if (strcmp(text, "on") == 0 || strcmp(text, "1") == 0) {
        return true;
    }
    if (strcmp(text, "idle") == 0) {
        config->idle = true;
        return true;
    }
    while (*text) {
        const char *end = strchrnul(text, ',');
        const char *equal = memchr(text, '=', (size_t)(end - text));
        if (!equal || !parse_part(text, equal, equal + 1, end, config)) {
            return false;
        }
        text = *end ? end + 1 : end;
    }
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t write_number(uint64_t number, char *out) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    for (size_t i = 0; i < count; i++) {
        out[i] = digits[count - 1 - i];
    }
    return count;
}

bool wick_config_expand_path(const char *pattern, pid_t pid, char *path, size_t byte_count) {
    size_t length = 0;
    if (pattern[0] != '/') {
        if (!getcwd(path, byte_count)) {
            return false;
        }
        length = strlen(path);
        if (length + 1 >= byte_count) {
            return false;
        }
        path[length++] = '/';
    }
    for (const char *next = pattern; *next; next++) {
        if (length + 20 >= byte_count) {
            return false;
        }
        if (next[0] == '%' && next[1] == 'p') {
            length += write_number((uint64_t)pid, path + length);
            next++;
        } else if (next[0] == '%' && hex_digit(next[1]) >= 0 && hex_digit(next[2]) >= 0) {
            path[length++] = (char)(hex_digit(next[1]) * 16 + hex_digit(next[2]));
            next += 2;
        } else {
            path[length++] = *next;
        }
    }
    path[length] = 0;
    return true;
}
