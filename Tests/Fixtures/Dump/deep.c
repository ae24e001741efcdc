// A recursion of known depth with frames of known size: `deep DEPTH BYTES`.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((noinline)) static int descend(int depth, int byte_count) {
    char bytes[byte_count];
    memset(bytes, depth, (size_t)byte_count);
    if (depth == 0) {
        puts("ready");
        fflush(stdout);
        pause();
        return bytes[0];
    }
    return descend(depth - 1, byte_count) + bytes[byte_count / 2];
}

int main(int argument_count, char **arguments) {
    (void)argument_count;
    return descend(atoi(arguments[1]), atoi(arguments[2])) == 1;
}
