// Threads that come and go until SIGTERM; "threads COUNT" says how many.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { at_once = 16 };

static atomic_long count;
static atomic_int stopping;

static void *live_shortly(void *argument) {
    usleep((unsigned)(long)argument * 50);
    return NULL;
}

static void *make_threads(void *argument) {
    while (!stopping) {
        pthread_t threads[at_once];
        int made = 0;
        while (made < at_once &&
               pthread_create(&threads[made], NULL, live_shortly, (void *)(long)made) == 0) {
            made++;
        }
        for (int i = 0; i < made; i++) {
            pthread_join(threads[i], NULL);
        }
        count += made;
    }
    return argument;
}

int main(void) {
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &end, NULL);
    pthread_t maker;
    pthread_create(&maker, NULL, make_threads, NULL);
    puts("ready");
    fflush(stdout);
    int number;
    sigwait(&end, &number);
    stopping = 1;
    pthread_join(maker, NULL);
    printf("threads %ld\n", count);
    return 0;
}
