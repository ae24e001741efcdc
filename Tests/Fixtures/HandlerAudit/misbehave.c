// A library whose name begins with libwick and whose handler does all that the audit must see.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

extern int __sigaction(int number, const struct sigaction *action, struct sigaction *old);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *volatile memory;

static void handle(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    (void)context;
    memory = malloc(10);
    free(memory);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    if (write(-1, "x", 1) < 0) {
        errno = EBADF;
    }
}

__attribute__((constructor)) static void begin(void) {
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&action.sa_mask);
    __sigaction(SIGPROF, &action, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGPROF};
    event.sigev_value.sival_ptr = (void *)(UINT64_C(1) << 63);
    timer_t timer;
    timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer);
    struct itimerspec every = {.it_interval = {.tv_nsec = 5000000}, .it_value = {.tv_nsec = 5000000}};
    timer_settime(timer, 0, &every, NULL);
}
