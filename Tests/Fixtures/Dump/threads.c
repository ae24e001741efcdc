// Threads with stacks that are known: `threads COUNT` says "ready" once all of them stand where they
// stay. Thread n is called "worker-n" and stands in first → second → third, `n % 8` times itself, and
// then waits for a condition, in epoll_wait or in a signal handler, or counts.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define KEPT __attribute__((noinline, noclone))

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static atomic_int ready;
static volatile long counter;

KEPT static int wait_for_condition(void) {
    pthread_mutex_lock(&mutex);
    ready++;
    pthread_cond_wait(&condition, &mutex);
    return (int)++counter;
}

KEPT static int wait_for_event(void) {
    struct epoll_event event;
    int descriptor = epoll_create1(0);
    ready++;
    return epoll_wait(descriptor, &event, 1, -1) + (int)++counter;
}

KEPT static int count(void) {
    ready++;
    while (counter >= 0) {
        counter++;
    }
    return 0;
}

static void handle(int number) {
    (void)number;
    wait_for_event();
    counter++;
}

// On a stack of its own, as servers do that report an overflow.
KEPT static int wait_in_handler(void) {
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    sigaltstack(&stack, NULL);
    pthread_kill(pthread_self(), SIGUSR1);
    return (int)++counter;
}

KEPT static int third(int number, int depth) {
    int result;
    if (depth > 0) {
        result = third(number, depth - 1);
    } else if (number == 1) {
        result = count();
    } else if (number % 10 == 2) {
        result = wait_in_handler();
    } else {
        result = number % 2 == 0 ? wait_for_event() : wait_for_condition();
    }
    return result + (int)++counter;
}

KEPT static int second(int number) {
    return third(number, number % 8) + (int)++counter;
}

KEPT static int first(int number) {
    return second(number) + (int)++counter;
}

static void *run(void *argument) {
    int number = (int)(long)argument;
    char name[16];
    snprintf(name, sizeof(name), "worker-%d", number);
    pthread_setname_np(pthread_self(), name);
    return (void *)(long)(first(number) + 1);
}

int main(int argument_count, char **arguments) {
    int thread_count = argument_count > 1 ? atoi(arguments[1]) : 10;
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 18);
    for (long i = 0; i < thread_count; i++) {
        pthread_t thread;
        pthread_create(&thread, &attributes, run, (void *)i);
    }
    while (ready < thread_count) {
        usleep(1000);
    }
    // The last may still be on its way into the kernel.
    usleep(50000);
    puts("ready");
    fflush(stdout);
    for (;;) {
        pause();
    }
}
