// A thread that waits uninterruptibly, as vfork's parent does for its child, until SIGTERM; and
// another one, "other".
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static pid_t volatile child;

__attribute__((noinline)) static int other(void) {
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    int number;
    puts("ready");
    fflush(stdout);
    sigwait(&end, &number);
    kill(child, SIGKILL);
    return number;
}

static void *run(void *argument) {
    return other() == 0 ? argument : NULL;
}

int main(void) {
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &end, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, run, NULL);
    if (vfork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        // Memory is shared with the parent.
        child = getpid();
        for (;;) {
            pause();
        }
    }
    pthread_join(thread, NULL);
    puts("done");
    return 0;
}
