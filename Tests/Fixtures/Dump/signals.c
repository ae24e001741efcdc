// A handler's signal ends epoll_pwait, once for each, whatever else stops the thread: until SIGTERM
// threads are sent one real-time signal after the other, each after the last was answered for.
// "sent handled returned spurious lost" of all threads.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { thread_count = 4 };

static struct {
    pthread_t thread;
    atomic_long handled, returned, spurious;
} workers[thread_count];
static _Thread_local int own;
static atomic_long sent, lost;
static atomic_bool stopping;

static void handle(int number) {
    (void)number;
    workers[own].handled++;
}

static void *wait_for_signals(void *argument) {
    own = (int)(long)argument;
    sigset_t others;
    sigfillset(&others);
    sigdelset(&others, SIGRTMIN);
    int descriptor = epoll_create1(0);
    long handled = 0;
    for (;;) {
        struct epoll_event event;
        epoll_pwait(descriptor, &event, 1, -1, &others);
        if (workers[own].handled == handled) {
            workers[own].spurious++;
        }
        handled = workers[own].handled;
        workers[own].returned++;
    }
    return NULL;
}

static void *send_signals(void *argument) {
    (void)argument;
    while (!stopping) {
        for (int i = 0; i < thread_count; i++) {
            long before = workers[i].handled;
            sent++;
            pthread_kill(workers[i].thread, SIGRTMIN);
            // Five seconds.
            for (int patience = 100000; workers[i].returned <= before && patience > 0; patience--) {
                usleep(50);
            }
            if (workers[i].returned <= before) {
                lost++;
                return NULL;
            }
        }
    }
    return NULL;
}

int main(void) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    struct sigaction action = {.sa_handler = handle};
    sigaction(SIGRTMIN, &action, NULL);
    for (long i = 0; i < thread_count; i++) {
        pthread_create(&workers[i].thread, NULL, wait_for_signals, (void *)i);
    }
    pthread_t sender;
    pthread_create(&sender, NULL, send_signals, NULL);
    usleep(100000);
    puts("ready");
    fflush(stdout);
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    int number;
    sigwait(&end, &number);
    stopping = true;
    pthread_join(sender, NULL);
    long handled = 0, returned = 0, spurious = 0;
    for (int i = 0; i < thread_count; i++) {
        handled += workers[i].handled;
        returned += workers[i].returned;
        spurious += workers[i].spurious;
    }
    printf("%ld %ld %ld %ld %ld\n", sent, handled, returned, spurious, lost);
    return 0;
}
