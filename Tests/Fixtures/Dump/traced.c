// Traces a child that counts, and prints its id.
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(void) {
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (volatile long i = 0;; i++) {
        }
    }
    if (ptrace(PTRACE_SEIZE, child, NULL, NULL) < 0) {
        return 1;
    }
    printf("%d\nready\n", child);
    fflush(stdout);
    for (;;) {
        pause();
    }
}
