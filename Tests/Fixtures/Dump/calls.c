// Calls that wait, each in a thread of its own, until SIGTERM: how often they gave EINTR, although
// no thread here is sent a signal; "name returned interrupted" for each.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/futex.h>

static const struct timespec span = {.tv_nsec = 30000000};
static const struct timeval long_span = {.tv_usec = 30000};

static struct timespec from_now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += span.tv_nsec;
    if (time.tv_nsec >= 1000000000) {
        time.tv_nsec -= 1000000000;
        time.tv_sec++;
    }
    return time;
}

/// A datagram socket that nothing arrives at, with a timeout.
static int silent_socket(int type) {
    int descriptor = socket(AF_INET, type, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bind(descriptor, (struct sockaddr *)&address, sizeof(address));
    if (type == SOCK_STREAM) {
        listen(descriptor, 1);
    }
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &long_span, sizeof(long_span));
    return descriptor;
}

static long by_epoll(void) {
    static int descriptor = -1;
    descriptor = descriptor < 0 ? epoll_create1(0) : descriptor;
    struct epoll_event event;
    return epoll_wait(descriptor, &event, 1, 30);
}

static long by_epoll_pwait(void) {
    static int descriptor = -1;
    descriptor = descriptor < 0 ? epoll_create1(0) : descriptor;
    struct epoll_event event;
    sigset_t mask;
    sigfillset(&mask);
    return epoll_pwait(descriptor, &event, 1, 30, &mask);
}

static long by_poll(void) {
    return poll(NULL, 0, 30);
}

static long by_ppoll(void) {
    sigset_t mask;
    sigfillset(&mask);
    return ppoll(NULL, 0, &span, &mask);
}

static long by_select(void) {
    struct timeval time = long_span;
    return select(0, NULL, NULL, NULL, &time);
}

static long by_pselect(void) {
    return pselect(0, NULL, NULL, NULL, &span, NULL);
}

static long by_nanosleep(void) {
    return nanosleep(&span, NULL);
}

static long by_clock_nanosleep(void) {
    struct timespec time = from_now(CLOCK_MONOTONIC);
    errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
    return errno == 0 ? 0 : -1;
}

static long by_recv(void) {
    static int descriptor = -1;
    descriptor = descriptor < 0 ? silent_socket(SOCK_DGRAM) : descriptor;
    char byte;
    return recv(descriptor, &byte, 1, 0);
}

static long by_timed_accept(void) {
    static int descriptor = -1;
    descriptor = descriptor < 0 ? silent_socket(SOCK_STREAM) : descriptor;
    return accept(descriptor, NULL, NULL);
}

static long by_sigtimedwait(void) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    return sigtimedwait(&mask, NULL, &span);
}

static long by_sem_timedwait(void) {
    static sem_t semaphore;
    struct timespec time = from_now(CLOCK_REALTIME);
    return sem_timedwait(&semaphore, &time);
}

static long by_futex(void) {
    static int word;
    return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &span, NULL, 0);
}

static long by_semtimedop(void) {
    static int set = -1;
    set = set < 0 ? semget(IPC_PRIVATE, 1, 0600) : set;
    struct sembuf operation = {.sem_op = -1};
    long result = semtimedop(set, &operation, 1, &span);
    int code = errno;
    semctl(set, 0, IPC_RMID);
    set = -1;
    errno = code;
    return result;
}

static long by_mq_timedreceive(void) {
    static mqd_t queue = -1;
    if (queue < 0) {
        char name[32];
        snprintf(name, sizeof(name), "/wick-%d", getpid());
        struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
        queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attributes);
        mq_unlink(name);
    }
    if (queue < 0) {
        return nanosleep(&span, NULL);
    }
    char bytes[8];
    struct timespec time = from_now(CLOCK_REALTIME);
    return mq_timedreceive(queue, bytes, sizeof(bytes), NULL, &time);
}

static long by_pipe(void) {
    int ends[2];
    char byte;
    return pipe(ends) < 0 ? 0 : read(ends[0], &byte, 1);
}

static long by_accept(void) {
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    listen(descriptor, 1);
    return accept(descriptor, NULL, NULL);
}

/// Stays when the process ends, unless it is removed.
static int message_queue;

static long by_msgrcv(void) {
    struct {
        long type;
        char text[8];
    } message;
    return msgrcv(message_queue, &message, sizeof(message.text), 0, 0);
}

static long by_flock(void) {
    static int holder = -1;
    char path[] = "/tmp/wick-lock-XXXXXX";
    holder = mkstemp(path);
    int other = open(path, O_RDWR);
    unlink(path);
    flock(holder, LOCK_EX);
    return flock(other, LOCK_EX);
}

static long by_waitpid(void) {
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            pause();
        }
    }
    int status;
    return waitpid(child, &status, 0);
}

static long by_pause(void) {
    return pause();
}

static long by_sigsuspend(void) {
    sigset_t mask;
    sigfillset(&mask);
    return sigsuspend(&mask);
}

static struct {
    const char *name;
    long (*wait)(void);
    long returned, interrupted;
} calls[] = {
    {"epoll_wait", by_epoll, 0, 0},
    {"epoll_pwait", by_epoll_pwait, 0, 0},
    {"poll", by_poll, 0, 0},
    {"ppoll", by_ppoll, 0, 0},
    {"select", by_select, 0, 0},
    {"pselect", by_pselect, 0, 0},
    {"nanosleep", by_nanosleep, 0, 0},
    {"clock_nanosleep", by_clock_nanosleep, 0, 0},
    {"recv", by_recv, 0, 0},
    {"timed_accept", by_timed_accept, 0, 0},
    {"sigtimedwait", by_sigtimedwait, 0, 0},
    {"sem_timedwait", by_sem_timedwait, 0, 0},
    {"futex", by_futex, 0, 0},
    {"semtimedop", by_semtimedop, 0, 0},
    {"mq_timedreceive", by_mq_timedreceive, 0, 0},
    {"read", by_pipe, 0, 0},
    {"accept", by_accept, 0, 0},
    {"msgrcv", by_msgrcv, 0, 0},
    {"flock", by_flock, 0, 0},
    {"waitpid", by_waitpid, 0, 0},
    {"pause", by_pause, 0, 0},
    {"sigsuspend", by_sigsuspend, 0, 0},
};
enum { call_count = sizeof(calls) / sizeof(calls[0]) };

static void *repeat(void *argument) {
    long index = (long)argument;
    for (;;) {
        errno = 0;
        if (calls[index].wait() < 0 && errno == EINTR) {
            calls[index].interrupted++;
        }
        calls[index].returned++;
    }
    return NULL;
}

int main(void) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    message_queue = msgget(IPC_PRIVATE, 0600);
    for (long i = 0; i < call_count; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, repeat, (void *)i);
    }
    usleep(200000);
    puts("ready");
    fflush(stdout);
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    int number;
    sigwait(&end, &number);
    for (int i = 0; i < call_count; i++) {
        printf("%s %ld %ld\n", calls[i].name, calls[i].returned, calls[i].interrupted);
    }
    // Ends the call that waits on it.
    msgctl(message_queue, IPC_RMID, NULL);
    return 0;
}
