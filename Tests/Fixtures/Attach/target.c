// A program to attach to: it burns some time, then waits a little for a letter on standard input that
// says what to do. Answers with one line.
//
//   p  answers: pong                         u  becomes nobody
//   c  closes all descriptors from 3 on and takes their numbers for files and sockets of its own
//   v  answers what became of those: intact, or what is wrong
//   f  forks; answers the pid of the child and how many sockets that has
//   e  executes this program anew            r  changes its root to the folder in argument 1
//   q  exits
//
// Built with FILTER as what a seccomp filter returns for memfd_create, it sets that up first.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef FILTER
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

static void set_filter(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, FILTER),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {4, filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        exit(100);
    }
}
#endif

enum { FIRST = 3, LAST = 1200 };

static ino_t inodes[LAST];

/// Every third of the numbers is a file, a datagram socket, or a socket that listens.
static void take_numbers(void) {
    for (int number = FIRST; number < LAST; number++) {
        close(number);
    }
    for (int number = FIRST; number < LAST; number++) {
        int taken = number % 3 == 0   ? memfd_create("own", MFD_CLOEXEC)
                    : number % 3 == 1 ? socket(AF_UNIX, SOCK_DGRAM, 0)
                                      : socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        // The agent may just be reading something: then the number is left to it.
        if (taken != number) {
            close(taken);
            continue;
        }
        if (number % 3 == 2) {
            // Abstract, by the kernel's choice.
            struct sockaddr_un address = {.sun_family = AF_UNIX};
            bind(taken, (struct sockaddr *)&address, sizeof(sa_family_t));
            listen(taken, 1);
            socklen_t size = sizeof(address);
            getsockname(taken, (struct sockaddr *)&address, &size);
            // Somebody waits before the door and must be let in by nobody else.
            int caller = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
            connect(caller, (struct sockaddr *)&address, size);
            fcntl(caller, F_DUPFD, LAST);
            close(caller);
        }
        struct stat status;
        fstat(number, &status);
        inodes[number] = status.st_ino;
    }
    puts("taken");
}

static void check_numbers(void) {
    for (int number = FIRST; number < LAST; number++) {
        struct stat status;
        if (inodes[number] == 0) {
            continue;
        }
        if (fstat(number, &status) != 0 || status.st_ino != inodes[number]) {
            printf("%d was closed or replaced\n", number);
            return;
        }
        if (S_ISREG(status.st_mode) && status.st_size != 0) {
            printf("%d was written to\n", number);
            return;
        }
        int caller = number % 3 == 2 ? accept(number, NULL, NULL) : -1;
        if (number % 3 == 2 && caller < 0) {
            printf("%d: the caller was let in by somebody else\n", number);
            return;
        }
        char byte;
        if (caller >= 0 && recv(caller, &byte, 1, MSG_DONTWAIT) >= 0) {
            printf("%d: the caller was let go\n", number);
            return;
        }
        if (caller >= 0) {
            close(caller);
        }
    }
    puts("intact");
}

static void fork_child(void) {
    int count = 0;
    int ends[2];
    if (pipe(ends) != 0) {
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        for (int number = FIRST; number < LAST; number++) {
            struct stat status;
            count += fstat(number, &status) == 0 && S_ISSOCK(status.st_mode);
        }
        if (write(ends[1], &count, sizeof(count)) < 0) {
            _exit(1);
        }
        volatile unsigned long sum = 0;
        for (unsigned long i = 0; i < 20000000; i++) {
            sum += i;
        }
        for (;;) {
            pause();
        }
    }
    if (read(ends[0], &count, sizeof(count)) < 0) {
        count = -1;
    }
    close(ends[0]);
    close(ends[1]);
    printf("%d %d\n", (int)child, count);
}

__attribute__((noinline)) void burn_a_while(void) {
    static volatile unsigned long sum = 1;
    for (unsigned long i = 0; i < 300000; i++) {
        sum += sum * sum ^ i;
    }
}

int main(int count, char **words) {
    setvbuf(stdout, NULL, _IOLBF, 0);
#ifdef FILTER
    set_filter();
#endif
    struct rlimit limit = {4096, 4096};
    setrlimit(RLIMIT_NOFILE, &limit);
    puts("ready");
    bool has_input = true;
    for (;;) {
        burn_a_while();
        struct pollfd entry = {.fd = has_input ? 0 : -1, .events = POLLIN};
        if (poll(&entry, 1, 2) <= 0) {
            continue;
        }
        char letter;
        if (read(0, &letter, 1) <= 0) {
            has_input = false;
            continue;
        }
        switch (letter) {
        case 'p': puts("pong"); break;
        case 'c': take_numbers(); break;
        case 'v': check_numbers(); break;
        case 'f': fork_child(); break;
        case 'e': execv("/proc/self/exe", words); break;
        case 'r':
            puts(count > 1 && chroot(words[1]) == 0 && chdir("/") == 0 ? "inside" : "failed");
            break;
        case 'u': puts(setuid(65534) == 0 ? "nobody" : "failed"); break;
        case 'q': return 0;
        default: break;
        }
    }
}
