// Writes more into a pipe than it holds, until SIGTERM makes somebody read it: "written BYTES" says
// what write returned.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { byte_count = 1 << 20 };

static int ends[2];

__attribute__((noinline)) static long write_all(void) {
    char *bytes = calloc(1, byte_count);
    long written = write(ends[1], bytes, byte_count);
    free(bytes);
    return written;
}

static void *run(void *argument) {
    *(long *)argument = write_all();
    return NULL;
}

int main(void) {
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &end, NULL);
    if (pipe(ends) < 0) {
        return 1;
    }
    long written = 0;
    pthread_t writer;
    pthread_create(&writer, NULL, run, &written);
    usleep(100000);
    puts("ready");
    fflush(stdout);
    int number;
    sigwait(&end, &number);
    static char bytes[1 << 16];
    for (long rest = byte_count; rest > 0;) {
        ssize_t count = read(ends[0], bytes, sizeof(bytes));
        if (count <= 0) {
            return 1;
        }
        rest -= count;
    }
    pthread_join(writer, NULL);
    printf("written %ld\n", written);
    return 0;
}
