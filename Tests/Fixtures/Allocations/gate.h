// How these programs let a recorder in: it attaches while they wait, and reads what they say.
#pragma once

#include <string.h>
#include <unistd.h>

/// If the last argument is "wait": says `line` and waits for a byte on standard input, or its end.
static inline void wait_if_asked(int count, char **words, const char *line) {
    if (strcmp(words[count - 1], "wait") != 0) {
        return;
    }
    char byte;
    if (write(STDOUT_FILENO, line, strlen(line)) < 0 || read(STDIN_FILENO, &byte, 1) < 0) {
        _exit(3);
    }
}
