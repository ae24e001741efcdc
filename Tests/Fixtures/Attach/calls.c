// Waits in one kind of system call, again and again, until its standard input ends, and checks each
// time that the call did what it does in a program that is left alone.
//
//   calls NAME    prints "ready", and at the end the number of calls; 1 and what was wrong; 77: this
//                 system does not have the call
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_MS = 150, HELP_MS = 100, LONG_MS = 60000, NOT_THERE = 77 };

static volatile sig_atomic_t handled;

static void handle(int number) {
    (void)number;
    handled++;
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct timespec later(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += LIMIT_MS * 1000000l;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

#define EXPECT(condition)                                                                    \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            dprintf(STDOUT_FILENO, "line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

/// A child that does what ends the call, after a while.
#define HELP(what)                        \
    ({                                    \
        pid_t child = fork();             \
        if (child == 0) {                 \
            usleep(HELP_MS * 1000);       \
            what;                         \
            _exit(7);                     \
        }                                 \
        child;                            \
    })

static void end_help(pid_t child) {
    int status;
    EXPECT(waitpid(child, &status, 0) == child);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/// A child that signals us again and again: the first one may come right before the call.
static pid_t signaler(void) {
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        for (int i = 0; i < 100; i++) {
            usleep(HELP_MS * 1000);
            kill(parent, SIGUSR1);
        }
        _exit(0);
    }
    return child;
}

static void end_signaler(pid_t child) {
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) != child) {
    }
    EXPECT(handled > 0);
    handled = 0;
}

static const struct timespec limit = {.tv_nsec = LIMIT_MS * 1000000l};
static int ends[2], sockets[2];

// MARK: timeouts; the caller looks at the time

static void with_epoll_wait(void) {
    static int set = -1;
    set = set < 0 ? epoll_create1(0) : set;
    struct epoll_event event;
    EXPECT(epoll_wait(set, &event, 1, LIMIT_MS) == 0);
}

static void with_epoll_pwait(void) {
    static int set = -1;
    set = set < 0 ? epoll_create1(0) : set;
    struct epoll_event event;
    sigset_t mask;
    sigfillset(&mask);
    EXPECT(epoll_pwait(set, &event, 1, LIMIT_MS, &mask) == 0);
}

static void with_poll(void) {
    struct pollfd entry = {.fd = ends[0], .events = POLLIN};
    EXPECT(poll(&entry, 1, LIMIT_MS) == 0);
}

static void with_ppoll(void) {
    struct pollfd entry = {.fd = ends[0], .events = POLLIN};
    sigset_t mask;
    sigfillset(&mask);
    EXPECT(ppoll(&entry, 1, &limit, &mask) == 0);
}

static void with_select(void) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    struct timeval time = {.tv_usec = LIMIT_MS * 1000};
    EXPECT(select(ends[0] + 1, &set, NULL, NULL, &time) == 0);
}

static void with_pselect(void) {
    sigset_t mask;
    sigfillset(&mask);
    EXPECT(pselect(0, NULL, NULL, NULL, &limit, &mask) == 0);
}

static void with_nanosleep(void) {
    EXPECT(nanosleep(&limit, NULL) == 0);
}

static void with_clock_nanosleep(void) {
    EXPECT(clock_nanosleep(CLOCK_MONOTONIC, 0, &limit, NULL) == 0);
}

static void with_clock_nanosleep_until(void) {
    struct timespec until = later(CLOCK_MONOTONIC);
    EXPECT(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
}

static void with_recv_timeout(void) {
    struct timeval time = {.tv_usec = LIMIT_MS * 1000};
    char byte;
    EXPECT(setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) == 0);
    EXPECT(recv(sockets[0], &byte, 1, 0) == -1 && errno == EAGAIN);
}

static void with_sigtimedwait(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    EXPECT(sigtimedwait(&set, NULL, &limit) == -1 && errno == EAGAIN);
}

static void with_semtimedop(void) {
    int semaphores = semget(IPC_PRIVATE, 1, 0600);
    EXPECT(semaphores >= 0);
    struct sembuf take = {.sem_op = -1};
    int result = semtimedop(semaphores, &take, 1, &limit), error = errno;
    semctl(semaphores, 0, IPC_RMID);
    errno = error;
    EXPECT(result == -1 && errno == EAGAIN);
}

static void with_sem_timedwait(void) {
    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    struct timespec until = later(CLOCK_REALTIME);
    EXPECT(sem_timedwait(&semaphore, &until) == -1 && errno == ETIMEDOUT);
}

static void with_cond_timedwait(void) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    struct timespec until = later(CLOCK_REALTIME);
    pthread_mutex_lock(&mutex);
    EXPECT(pthread_cond_timedwait(&condition, &mutex, &until) == ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
}

/// IORING_OP_TIMEOUT, waited for by io_uring_enter.
static void with_io_uring(void) {
    static struct io_uring_params parameters;
    static int ring = -1;
    static char *queues;
    static struct io_uring_sqe *entries;
    if (ring < 0) {
        ring = (int)syscall(SYS_io_uring_setup, 2, &parameters);
        if (ring < 0) {
            exit(NOT_THERE);
        }
        EXPECT(parameters.features & IORING_FEAT_SINGLE_MMAP);
        queues = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
        entries = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
        if (queues == MAP_FAILED) {
            queues = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
        }
        EXPECT(queues != MAP_FAILED && entries != MAP_FAILED);
    }
    struct __kernel_timespec time = {.tv_nsec = LIMIT_MS * 1000000l};
    _Atomic unsigned *tail = (_Atomic unsigned *)(queues + parameters.sq_off.tail);
    unsigned mask = *(unsigned *)(queues + parameters.sq_off.ring_mask);
    unsigned index = *tail & mask;
    entries[index] = (struct io_uring_sqe){
        .opcode = IORING_OP_TIMEOUT, .fd = -1, .addr = (uintptr_t)&time, .len = 1};
    ((unsigned *)(queues + parameters.sq_off.array))[index] = index;
    *tail += 1;
    _Atomic unsigned *head = (_Atomic unsigned *)(queues + parameters.cq_off.head);
    _Atomic unsigned *done = (_Atomic unsigned *)(queues + parameters.cq_off.tail);
    EXPECT(syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) == 1);
    EXPECT(syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 0);
    EXPECT(*done == *head + 1);
    struct io_uring_cqe *results = (struct io_uring_cqe *)(queues + parameters.cq_off.cqes);
    EXPECT(results[*head & *(unsigned *)(queues + parameters.cq_off.ring_mask)].res == -ETIME);
    *head += 1;
}

// MARK: what another process ends

static void with_accept(void) {
    int door = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    EXPECT(bind(door, (struct sockaddr *)&address, size) == 0 && listen(door, 1) == 0);
    EXPECT(getsockname(door, (struct sockaddr *)&address, &size) == 0);
    pid_t child =
        HELP(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address)));
    int guest = accept(door, NULL, NULL);
    EXPECT(guest >= 0);
    close(guest);
    close(door);
    end_help(child);
}

static void with_recvmsg(void) {
    int pair[2];
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pid_t child = HELP(if (send(pair[1], "x", 1, 0) != 1) _exit(1));
    char byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    EXPECT(recvmsg(pair[0], &message, 0) == 1 && byte == 'x');
    close(pair[0]);
    close(pair[1]);
    end_help(child);
}

static void with_wait4(void) {
    pid_t child = HELP();
    int status;
    EXPECT(wait4(child, &status, 0, NULL) == child);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void with_waitid(void) {
    pid_t child = HELP();
    siginfo_t info;
    EXPECT(waitid(P_PID, (id_t)child, &info, WEXITED) == 0);
    EXPECT(info.si_pid == child && info.si_status == 7);
}

static void with_msgrcv(void) {
    int queue = msgget(IPC_PRIVATE, 0600);
    EXPECT(queue >= 0);
    struct {
        long type;
        char byte;
    } message = {.type = 1, .byte = 'm'};
    pid_t child = HELP(if (msgsnd(queue, &message, 1, 0) != 0) _exit(1));
    message.byte = 0;
    ssize_t count = msgrcv(queue, &message, 1, 1, 0);
    int error = errno;
    msgctl(queue, IPC_RMID, NULL);
    errno = error;
    EXPECT(count == 1 && message.byte == 'm');
    end_help(child);
}

static void with_semop(void) {
    int semaphores = semget(IPC_PRIVATE, 1, 0600);
    EXPECT(semaphores >= 0);
    pid_t child = HELP(semop(semaphores, &(struct sembuf){.sem_op = 1}, 1));
    int result = semop(semaphores, &(struct sembuf){.sem_op = -1}, 1), error = errno;
    semctl(semaphores, 0, IPC_RMID);
    errno = error;
    EXPECT(result == 0);
    end_help(child);
}

static void with_flock(void) {
    char path[] = "/tmp/wick-flock-XXXXXX";
    int file = mkstemp(path);
    EXPECT(file >= 0);
    int other = open(path, O_RDWR);
    unlink(path);
    EXPECT(flock(other, LOCK_EX) == 0);
    // The lock goes with the last descriptor of that opening: the child has the only one.
    pid_t child = HELP(flock(other, LOCK_UN));
    close(other);
    EXPECT(flock(file, LOCK_EX) == 0);
    close(file);
    end_help(child);
}

static void with_pipe(void) {
    int pipe_ends[2];
    EXPECT(pipe(pipe_ends) == 0);
    pid_t child = HELP(if (write(pipe_ends[1], "p", 1) != 1) _exit(1));
    char byte = 0;
    EXPECT(read(pipe_ends[0], &byte, 1) == 1 && byte == 'p');
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    end_help(child);
}

static void with_eventfd(void) {
    int counter = eventfd(0, 0);
    uint64_t value = 5;
    pid_t child = HELP(if (write(counter, &value, 8) != 8) _exit(1));
    value = 0;
    EXPECT(read(counter, &value, 8) == 8 && value == 5);
    close(counter);
    end_help(child);
}

// MARK: what a signal ends

static void with_sigsuspend(void) {
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    pid_t parent = getpid();
    // One signal is enough: none that comes early is missed.
    pid_t child = HELP(kill(parent, SIGUSR1));
    EXPECT(sigsuspend(&before) == -1 && errno == EINTR && handled == 1);
    handled = 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    end_help(child);
}

static void with_ppoll_signal(void) {
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    pid_t parent = getpid();
    pid_t child = HELP(kill(parent, SIGUSR1));
    struct timespec long_time = {.tv_sec = LONG_MS / 1000};
    EXPECT(ppoll(NULL, 0, &long_time, &before) == -1 && errno == EINTR && handled == 1);
    handled = 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    end_help(child);
}

static void with_pause(void) {
    pid_t child = signaler();
    EXPECT(pause() == -1 && errno == EINTR);
    end_signaler(child);
}

static void with_epoll_wait_signal(void) {
    static int set = -1;
    set = set < 0 ? epoll_create1(0) : set;
    struct epoll_event event;
    pid_t child = signaler();
    EXPECT(epoll_wait(set, &event, 1, LONG_MS) == -1 && errno == EINTR);
    end_signaler(child);
}

static void with_nanosleep_signal(void) {
    pid_t child = signaler();
    struct timespec long_time = {.tv_sec = LONG_MS / 1000}, rest = {};
    uint64_t begin = now_ns();
    EXPECT(nanosleep(&long_time, &rest) == -1 && errno == EINTR);
    int64_t slept = (int64_t)(now_ns() - begin);
    int64_t left = rest.tv_sec * INT64_C(1000000000) + rest.tv_nsec;
    // What is left and what went by are all of it, to a tenth of a second.
    EXPECT(llabs(left + slept - LONG_MS * INT64_C(1000000)) < 100000000);
    end_signaler(child);
}

typedef struct {
    const char *name;
    void (*call)(void);
    int least_ms;
} kind;

#define KIND(name, ms) {#name, with_##name, ms}
static const kind kinds[] = {
    KIND(epoll_wait, LIMIT_MS),      KIND(epoll_pwait, LIMIT_MS),
    KIND(poll, LIMIT_MS),            KIND(ppoll, LIMIT_MS),
    KIND(select, LIMIT_MS),          KIND(pselect, LIMIT_MS),
    KIND(nanosleep, LIMIT_MS),       KIND(clock_nanosleep, LIMIT_MS),
    KIND(recv_timeout, LIMIT_MS),    KIND(clock_nanosleep_until, LIMIT_MS),
    KIND(sigtimedwait, LIMIT_MS),    KIND(semtimedop, LIMIT_MS),
    KIND(sem_timedwait, LIMIT_MS),   KIND(cond_timedwait, LIMIT_MS),
    KIND(io_uring, LIMIT_MS),        KIND(accept, HELP_MS),
    KIND(recvmsg, HELP_MS),          KIND(wait4, HELP_MS),
    KIND(waitid, HELP_MS),           KIND(msgrcv, HELP_MS),
    KIND(semop, HELP_MS),            KIND(flock, HELP_MS),
    KIND(pipe, HELP_MS),             KIND(eventfd, HELP_MS),
    KIND(sigsuspend, HELP_MS),       KIND(ppoll_signal, HELP_MS),
    KIND(pause, 0),                  KIND(epoll_wait_signal, 0),
    KIND(nanosleep_signal, 0),
};

int main(int count, char **words) {
    struct sigaction action = {.sa_handler = handle};
    sigaction(SIGUSR1, &action, NULL);
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    EXPECT(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    for (size_t i = 0; count > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, words[1]) != 0) {
            continue;
        }
        dprintf(STDOUT_FILENO, "ready\n");
        unsigned calls = 0;
        char byte;
        for (; read(STDIN_FILENO, &byte, 1) != 0; calls++) {
            uint64_t begin = now_ns();
            kinds[i].call();
            uint64_t least_ns = (uint64_t)kinds[i].least_ms * 1000000;
            // A child begins its time a little before us.
            uint64_t ahead_ns = kinds[i].least_ms == HELP_MS ? 20000000 : 0;
            EXPECT(now_ns() - begin + ahead_ns >= least_ns);
        }
        dprintf(STDOUT_FILENO, "%u calls\n", calls);
        return 0;
    }
    return 2;
}
